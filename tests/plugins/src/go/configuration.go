//go:build wasip1

package main

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

type header struct {
	name  string
	value string
}

var errNotObjectOfStrings = errors.New(
	"the plugin configuration must be a JSON object with string values",
)

// parseConfiguration returns the headers in order of their names, as a Go map has no order.
func parseConfiguration(document []byte) ([]header, error) {
	if len(document) == 0 {
		return nil, nil
	}
	// encoding/json takes null for a map and for a string; pointers tell it from {} and "".
	var members map[string]*string
	if err := json.Unmarshal(document, &members); err != nil || members == nil {
		return nil, errNotObjectOfStrings
	}
	headers := make([]header, 0, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		if value == nil {
			return nil, errNotObjectOfStrings
		}
		headers = append(headers, header{name: name, value: *value})
	}
	return headers, nil
}
