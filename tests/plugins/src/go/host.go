//go:build wasip1

package main

import (
	"fmt"
	"unsafe"
)

const (
	statusOK                  = 0 // proxy_status_t
	logLevelError             = 4 // proxy_log_level_t
	bufferPluginConfiguration = 7 // proxy_buffer_type_t
	mapHTTPResponseHeaders    = 2 // proxy_map_type_t
)

// A pointer is 8 bytes wide in Go's memory layout and 4 in the ABI's, so where the host writes an
// address it is given a *uint32.

//go:wasmimport env proxy_log
func proxyLog(level uint32, message *byte, size uint32) uint32

//go:wasmimport env proxy_get_buffer_bytes
func proxyGetBufferBytes(buffer, start, maxSize uint32, data, size *uint32) uint32

//go:wasmimport env proxy_replace_header_map_value
func proxyReplaceHeaderMapValue(
	mapID uint32, key *byte, keySize uint32, value *byte, valueSize uint32,
) uint32

// allocations holds the memory handed to the host until the plugin takes it over: the garbage
// collector cannot see the address the host keeps.
var allocations = map[uint32][]byte{}

// The host calls this in the middle of a host call to place what it returns ("Memory management").
//
//go:wasmexport proxy_on_memory_allocate
func onMemoryAllocate(size uint32) unsafe.Pointer {
	memory := make([]byte, max(size, 1))
	address := unsafe.Pointer(unsafe.SliceData(memory))
	allocations[uint32(uintptr(address))] = memory
	return address
}

func takeAllocation(address, size uint32) []byte {
	memory := allocations[address]
	delete(allocations, address)
	return memory[:size]
}

func logError(message string) {
	proxyLog(logLevelError, unsafe.StringData(message), uint32(len(message)))
}

func readPluginConfiguration(size uint32) ([]byte, error) {
	if size == 0 {
		return nil, nil // the host returns no memory for an empty buffer
	}
	var address, length uint32
	status := proxyGetBufferBytes(bufferPluginConfiguration, 0, size, &address, &length)
	if status != statusOK {
		return nil, fmt.Errorf("proxy_get_buffer_bytes returned status %d", status)
	}
	return takeAllocation(address, length), nil
}

func replaceResponseHeader(name, value string) {
	proxyReplaceHeaderMapValue(mapHTTPResponseHeaders,
		unsafe.StringData(name), uint32(len(name)), unsafe.StringData(value), uint32(len(value)))
}
