package tcp

import (
	"errors"
	"io"
)

// source is a stream read through one buffer, out of which records are handed
// in place. It never waits for more than it was asked for, so that a live pipe
// can be followed. (bufio.Reader does the same at twice the cost a packet;
// mapping a file into memory gains a few per cent and faults when it is cut.)
type source struct {
	r    io.Reader
	rest []byte // what was read and is not consumed yet; its capacity is what is left of the buffer
	buf  []byte // a buffer of its own, where it has no others
	off  int64  // bytes of the stream before rest
	err  error  // of r, once it came
	// swap gives another buffer of at least n bytes that begins with what is
	// left over of this one; nil means that this one can be used again.
	swap func(left []byte, n int) []byte
}

// readAhead is the size of the buffer: small enough to stay in the cache.
const readAhead = 256 << 10

// peek gives the next n bytes without consuming them, fewer with an error at
// the end. They are valid until the next call.
func (s *source) peek(n int) ([]byte, error) {
	if len(s.rest) >= n {
		return s.rest[:n], nil
	}
	return s.fill(n)
}

func (s *source) fill(n int) ([]byte, error) {
	if s.swap != nil && s.err == nil {
		s.rest = s.swap(s.rest, n)[:len(s.rest)]
	} else if n > cap(s.rest) {
		if n > len(s.buf) {
			s.buf = make([]byte, max(n, readAhead))
		}
		s.rest = s.buf[:copy(s.buf, s.rest)]
	}
	for empty := 0; len(s.rest) < n; {
		if s.err != nil {
			return s.rest, s.err
		}
		m, free := 0, s.rest[len(s.rest):cap(s.rest)]
		m, s.err = s.r.Read(free)
		if m < 0 || m > len(free) {
			panic("tcp: a reader that counts more than it read")
		}
		if s.rest = s.rest[:len(s.rest)+m]; m > 0 {
			empty = 0
		} else if empty++; empty > 100 && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
	return s.rest[:n], nil
}

// take consumes the next n bytes.
func (s *source) take(n int) ([]byte, error) {
	b, err := s.peek(n)
	if err != nil {
		if err == io.EOF && len(b) == 0 {
			return nil, io.EOF
		}
		return nil, cut(err)
	}
	s.rest = s.rest[n:]
	s.off += int64(n)
	return b, nil
}

// unread is a source as a reader, with what it holds already.
type unread struct{ source }

func (u *unread) Read(p []byte) (int, error) {
	if _, err := u.peek(1); err != nil {
		return 0, err
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

func cut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("the capture is cut in the middle of a record")
	}
	return err
}
