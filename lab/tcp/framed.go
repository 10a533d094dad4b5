package tcp

import (
	"fmt"
	"slices"
	"strings"
)

// frameNames are those of HTTP/2's types of frames (RFC 9113 6).
var frameNames = []string{"DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"}

// recordNames are those of TLS's types of records (RFC 8446 5.1).
var recordNames = map[byte]string{recordCCS: "ChangeCipherSpec", recordAlert: "alert", recordHandshake: "handshake", recordData: "data"}

// Framed names the frames of HTTP/2 that begin in a segment's payload, those of streams
// first and with their number, or the records of TLS: "HEADERS 1, DATA 1, SETTINGS",
// "TLS handshake". It is "" where the payload does not begin as either does; a segment
// that goes on with one does not.
func Framed(b []byte) string {
	var streams, names []string
	say := func(names *[]string, name string) {
		if !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
	}
	if sniff(b) == looksTLS {
		eachRecord(b, func(kind byte, _ int) { say(&names, recordNames[kind]) })
		return strings.TrimSpace("TLS " + strings.Join(names, ", "))
	}
	if begins(b, preface) {
		say(&names, "PRI")
		b = b[len(preface):]
	}
	if len(b) > 0 && !eachFrame(b, func(r *frame) {
		if name := frameNames[r.kind]; r.stream == 0 {
			say(&names, name)
		} else {
			say(&streams, fmt.Sprintf("%s %d", name, r.stream))
		}
	}) {
		return ""
	}
	return strings.Join(append(streams, names...), ", ")
}

// eachFrame goes through the frames of HTTP/2 that begin in b, and says whether there is
// one and nothing else does.
func eachFrame(b []byte, do func(*frame)) bool {
	found := false
	for len(b) >= frameHead {
		var r frame
		length := r.read(b)
		if !r.plausible() {
			return false
		}
		do(&r)
		found, b = true, b[min(frameHead+length, int64(len(b))):]
	}
	return found
}

// plausible says whether a frame is of a known type and on a stream where that type
// belongs: other bytes are hardly ever so.
func (r *frame) plausible() bool {
	if int(r.kind) >= len(frameNames) {
		return false
	}
	switch r.kind {
	case frameSettings, framePing, frameGoAway:
		return r.stream == 0
	case frameWindow:
		return true
	}
	return r.stream != 0
}
