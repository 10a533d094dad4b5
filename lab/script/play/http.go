package play

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// kept is how much of a body is kept: what a client tells of it.
const kept = 200

// longest is how long a head or the line of a chunk may be, so that a peer
// without an end does not fill the memory.
const longest = 1 << 20

// Response is what has come of a response.
type Response struct {
	Status int    // 0: not even the head
	Body   string // its first 200 bytes
	Bytes  int    // of its body
}

// Write takes a piece of the body.
func (r *Response) Write(piece []byte) (int, error) {
	r.Bytes += len(piece)
	r.Body += string(piece[:min(len(piece), kept-len(r.Body))])
	return len(piece), nil
}

// read reads a response to its end (RFC 9112, 6.3), interim responses before it
// too (RFC 9110, 15.2). The response to HEAD has no body, but only who asked
// knows that: its script has ReadHead.
func (r *Response) read(from io.Reader) error {
	for {
		h, err := readHead(from)
		if err != nil {
			return err
		}
		status, err := h.status()
		if err != nil {
			return err
		}
		if status < 200 && status != 101 { // after 101 another protocol is spoken
			continue
		}
		r.Status = status
		if status < 200 || status == 204 || status == 304 {
			return nil
		}
		return whole(h.body(from, r, true))
	}
}

// readRequest reads a request to the end of its body, and not a byte more.
func readRequest(from io.Reader) (method, url string, err error) {
	h, err := readHead(from)
	if err != nil {
		return "", "", err
	}
	method, rest, _ := strings.Cut(h.start, " ")
	url, version, ok := strings.Cut(rest, " ")
	if !ok || !strings.HasPrefix(version, "HTTP/1.") {
		return "", "", fmt.Errorf("malformed request line %.100q", h.start)
	}
	return method, url, whole(h.body(from, io.Discard, false))
}

// head is what a head says of the body that follows.
type head struct {
	start   string // line
	length  int64  // -1: not said
	coded   bool   // there is a Transfer-Encoding
	chunked bool   // and its last is chunked
}

// readHead reads to the empty line, and not a byte more.
func readHead(from io.Reader) (head, error) {
	h, left := head{length: -1}, longest
	for h.start == "" { // empty lines before a message are no message (RFC 9112, 2.2)
		line, err := readLine(from, &left)
		if err != nil {
			return h, err
		}
		h.start = line
	}
	for {
		line, err := readLine(from, &left)
		if err != nil || line == "" {
			return h, whole(err)
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return h, fmt.Errorf("malformed header line %.100q", line)
		}
		value = strings.Trim(value, " \t")
		switch strings.ToLower(name) {
		case "content-length":
			length, err := strconv.ParseUint(value, 10, 63)
			if err != nil || h.length >= 0 && h.length != int64(length) {
				return h, fmt.Errorf("malformed Content-Length %.100q", value)
			}
			h.length = int64(length)
		case "transfer-encoding":
			last := value[strings.LastIndex(value, ",")+1:]
			h.coded, h.chunked = true, strings.EqualFold(strings.Trim(last, " \t"), "chunked")
		}
	}
}

// status returns the status of a response's head.
func (h head) status() (int, error) {
	version, rest, _ := strings.Cut(h.start, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.ParseUint(code, 10, 16)
	if !strings.HasPrefix(version, "HTTP/1.") || len(code) != 3 || err != nil || status < 100 {
		return 0, fmt.Errorf("malformed status line %.100q", h.start)
	}
	return int(status), nil
}

// body reads the body of a message (RFC 9112, 6.3).
func (h head) body(from io.Reader, to io.Writer, response bool) error {
	switch {
	case h.chunked:
		return readChunks(from, to)
	case h.coded && !response:
		return errors.New("malformed request: its body has no end")
	case !h.coded && h.length >= 0:
		_, err := io.CopyN(to, from, h.length)
		return err
	case response: // the end of the connection is the body's
		_, err := io.Copy(to, from)
		return err
	}
	return nil
}

// readChunks reads a chunked body with its trailers (RFC 9112, 7.1).
func readChunks(from io.Reader, to io.Writer) error {
	left := longest
	for {
		line, err := readLine(from, &left)
		if err != nil {
			return err
		}
		digits, _, _ := strings.Cut(line, ";")
		size, err := strconv.ParseUint(strings.TrimRight(digits, " \t"), 16, 63)
		if err != nil {
			return fmt.Errorf("malformed chunk size %.100q", line)
		}
		if size == 0 {
			break
		}
		if _, err := io.CopyN(to, from, int64(size)); err != nil {
			return err
		}
		if line, err = readLine(from, &left); err != nil {
			return err
		} else if line != "" {
			return fmt.Errorf("malformed end of a chunk %.100q", line)
		}
		left = longest
	}
	for {
		if line, err := readLine(from, &left); err != nil || line == "" {
			return err
		}
	}
}

// readLine reads a line, byte by byte: a byte that has been read cannot be put
// back into the kernel. A bare LF ends a line too (RFC 9112, 2.2).
func readLine(from io.Reader, left *int) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; *left-- {
		if *left <= 0 {
			return "", fmt.Errorf("longer than %d bytes", longest)
		}
		if _, err := io.ReadFull(from, b); err != nil {
			if len(line) > 0 {
				err = whole(err)
			}
			return "", err
		}
		if b[0] == '\n' {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		line = append(line, b[0])
	}
}

// whole returns the error of a message that has begun: an end within it is not
// the end before it.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
