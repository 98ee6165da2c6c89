// Layers as istio-agent opens them: one JSON object for each frame (length, bytes) on stdin.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

const most = 1 << 20 // of a content that is compared

type entry struct {
	Name, Content, Fault string
	Kind                 byte
	Size                 int64
}

type answer struct {
	Entries       []entry
	End           string // why the tar cannot be read on, with contents passed over
	Plugin, Fault string // what the fetcher takes of the gzipped tar, or why it takes nothing
}

func text(err error) string {
	if err == nil || err == io.EOF {
		return ""
	}
	return err.Error()
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// list reads a tar; contents of even entries are read, those of odd ones passed over.
func list(r io.Reader) (found []entry, end string) {
	tr := tar.NewReader(r)
	for number := 0; ; number++ {
		h, err := tr.Next()
		if err != nil {
			return found, text(err)
		}
		row := entry{Name: hex.EncodeToString([]byte(h.Name)), Kind: h.Typeflag, Size: h.Size}
		if number%2 == 0 && 0 <= h.Size && h.Size <= most {
			content := make([]byte, h.Size)
			n, err := io.ReadFull(tr, content)
			if err == io.EOF && h.Size > 0 {
				row.Fault = "EOF"
			} else {
				row.Fault = text(err)
			}
			row.Content = digest(content[:n])
		}
		found = append(found, row)
	}
}

// extract is extractWasmPluginBinary of istio/istio pkg/wasm/imagefetcher.go.
func extract(r io.Reader, limit int64) ([]byte, error) {
	gr, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("failed to parse layer as tar.gz: %v", err)
	}
	const name = "plugin.wasm"
	tr := tar.NewReader(io.LimitReader(gr, limit))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if h.Size < 0 || h.Size > 1<<48 {
			return nil, fmt.Errorf("panic: runtime error: makeslice: len out of range")
		}
		if filepath.Base(h.Name) == name {
			if h.Size > 1<<28 {
				return nil, fmt.Errorf("too large")
			}
			ret := make([]byte, h.Size)
			_, err := io.ReadFull(tr, ret)
			if err != nil {
				return nil, fmt.Errorf("failed to read %s: %v", name, err)
			}
			return ret, nil
		}
	}
	return nil, fmt.Errorf("%s not found in the archive", name)
}

func main() {
	limit, _ := strconv.ParseInt(os.Args[1], 10, 64)
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var size uint32
		if binary.Read(in, binary.LittleEndian, &size) != nil {
			return
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(in, data); err != nil {
			panic(err)
		}
		var a answer
		a.Entries, a.End = list(struct{ io.Reader }{bytes.NewReader(data)}) // a stream, as layers are
		plugin, err := extract(bytes.NewReader(data), limit)
		if err != nil {
			a.Fault = err.Error()
		} else {
			a.Plugin = digest(plugin)
		}
		if err := out.Encode(a); err != nil {
			panic(err)
		}
	}
}
