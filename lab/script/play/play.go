// Package play plays scripts on TCP connections. It is a server's and a
// client's: each Op is what it says at the socket, and nothing is read that the
// script does not read, because what lies unread in the kernel decides how a
// connection ends.
package play

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"rstlab/lab/script"
)

// Conn plays scripts on one connection, one at a time.
type Conn struct {
	TCP    *net.TCPConn
	TLS    *tls.Config // of script.TLS
	Server bool        // which side of TLS

	Events *Events
	Say    func(event string)       // script.Say
	Ran    func(method, url string) // script.ReadRequest has read a request

	Last   Response // what was read last, whole or not
	Closed bool     // by the script

	inside io.ReadWriter  // of TLS
	waited map[string]int // how often for each event
}

// Check says whether every Op of a script is known.
func Check(ops []script.Op) error {
	for _, op := range ops {
		switch op.Do {
		case script.DoRead:
			switch op.What {
			case "", script.Request, script.Head, script.Response, script.End:
			default:
				return fmt.Errorf("unknown thing to read: %q", op.What)
			}
		case script.DoWrite, script.DoRest, script.DoSay, script.DoWait, script.DoTLS, script.DoBuffer,
			script.DoShut, script.DoClose, script.DoReset, script.DoAgain:
		default:
			return fmt.Errorf("unknown op %q", op.Do)
		}
	}
	return nil
}

// Play plays a script to its end. It tells failed of every Op that fails, and
// goes on with the next if failed says so; but there is no Again after a
// failure, which would be without end.
func (c *Conn) Play(ops []script.Op, failed func(script.Op, error) bool) {
	sound := true
	for i := 0; i < len(ops); i++ {
		if ops[i].Do == script.DoAgain {
			if !sound {
				return
			}
			i = -1
			continue
		}
		if err := c.do(ops[i]); err != nil {
			if !failed(ops[i], Bare(err)) {
				return
			}
			sound = false
		}
	}
}

func (c *Conn) do(op script.Op) error {
	var rw io.ReadWriter = c.TCP
	if c.inside != nil {
		rw = c.inside
	}
	if op.Piece > 0 {
		rw = &slowly{rw, op.Piece, op.For, op.Piece}
	}
	switch op.Do {
	case script.DoRead:
		return c.read(rw, op)
	case script.DoWrite:
		// One write(2) where the send buffer takes it all. Go sets TCP_NODELAY.
		_, err := io.WriteString(rw, string(op.Text)+strings.Repeat(".", op.Bytes))
		return err
	case script.DoRest:
		time.Sleep(op.For)
	case script.DoSay:
		c.Say(op.Event)
	case script.DoWait:
		if c.waited == nil {
			c.waited = map[string]int{}
		}
		c.waited[op.Event]++
		return c.Events.wait(op.Event, c.waited[op.Event])
	case script.DoTLS:
		side := tls.Client
		if c.Server {
			side = tls.Server
		}
		inside := side(c.TCP, c.TLS)
		c.inside = inside
		return inside.Handshake()
	case script.DoBuffer:
		return c.TCP.SetReadBuffer(op.Bytes)
	case script.DoShut:
		return c.TCP.CloseWrite()
	case script.DoClose:
		return c.Close()
	case script.DoReset:
		if err := c.TCP.SetLinger(0); err != nil {
			return err
		}
		return c.Close()
	default:
		return fmt.Errorf("unknown op %q", op.Do)
	}
	return nil
}

func (c *Conn) read(r io.Reader, op script.Op) error {
	switch op.What {
	case script.Request:
		method, url, err := readRequest(r)
		if err == nil {
			c.Ran(method, url)
		}
		return err
	case script.Head:
		h, err := readHead(r)
		// A client that reads a head has its status, as one that asks by HEAD.
		if err == nil && !c.Server {
			c.Last = Response{}
			c.Last.Status, err = h.status()
		}
		return err
	case script.Response:
		c.Last = Response{}
		return c.Last.read(r)
	case script.End:
		_, err := io.Copy(io.Discard, r)
		return err
	}
	n, err := io.CopyN(io.Discard, r, int64(op.Bytes))
	if n > 0 {
		return whole(err)
	}
	return err
}

// Close closes the connection, as script.Close does.
func (c *Conn) Close() error {
	c.Closed = true
	return c.TCP.Close()
}

// Bare returns what the kernel said of a system call, "read: connection reset
// by peer", without the addresses that Go adds.
func Bare(err error) error {
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		return call
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		if _, within := errors.AsType[*net.OpError](op.Err); within {
			return Bare(op.Err)
		}
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// slowly rests after each piece that goes through it.
type slowly struct {
	io.ReadWriter
	piece int
	rest  time.Duration
	left  int // of the piece
}

func (s *slowly) pass(b []byte, through func([]byte) (int, error)) (int, error) {
	if s.left == 0 {
		time.Sleep(s.rest)
		s.left = s.piece
	}
	n, err := through(b[:min(len(b), s.left)])
	s.left -= n
	return n, err
}

func (s *slowly) Read(b []byte) (int, error) { return s.pass(b, s.ReadWriter.Read) }

func (s *slowly) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		n, err := s.pass(b[written:], s.ReadWriter.Write)
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
