package tcp

import (
	"io"
	"net/netip"
	"slices"
	"time"
)

// A batch is what the decoding goroutine hands to the one with the flows: the
// segments of one buffer, and the buffer they point into.
type batch struct {
	segs  []segment
	names []hostName
	buf   []byte
	whole bool // it ends where a packet does
}

type hostName struct {
	addr netip.Addr
	name string
}

// batches is how many are in the works at most: one being filled, one being
// looked at, two between: with one, either waits for the other too often.
const batches = 4

// pipeline reads and decodes in a goroutine of its own and calls take, in
// order, on the caller's. What needs no flow is done on the former: the two have
// about the same to do. What either writes for every segment is nowhere near
// what the other reads: two cores would wait for each other's cache lines. A
// batch goes out whenever its reader would wait, so that a live stream is not
// held up. Where quiet is given it is called once nothing has come for linger after
// a batch that ends with a packet: who writes packets one by one, as tcpdump -U
// does, holds none back.
func pipeline(r io.Reader, sum *Summary, seed uint64, take func(*batch), quiet func()) error {
	full, free := make(chan *batch, batches), make(chan *batch, batches)
	for range batches {
		free <- &batch{}
	}
	var read Summary
	var failed error
	go func() {
		defer close(full)
		b := <-free
		var segs []segment // of b
		var d decoder
		// The source asks for room before it reads: what was decoded goes out
		// with the buffer it points into, and what is left over moves on.
		swap := func(left []byte, n int) []byte {
			if len(segs) == 0 && len(b.names) == 0 && n <= len(b.buf) {
				copy(b.buf, left)
				return b.buf
			}
			next := <-free
			if n > len(next.buf) {
				next.buf = make([]byte, max(n, readAhead))
			}
			copy(next.buf, left)
			b.segs, b.whole = segs, len(left) == 0
			full <- b // never blocks: there is room for all
			b, segs, next.names = next, next.segs[:0], next.names[:0]
			return b.buf
		}
		failed = packetsOf(source{r: r, swap: swap}, &read, func(c *capture, p *record) error {
			if len(c.fresh) > 0 {
				b.names = append(b.names, c.fresh...)
				c.fresh = c.fresh[:0]
			}
			n := len(segs)
			if n == cap(segs) {
				segs = slices.Grow(segs, 1)
			}
			if s := &segs[:n+1][n]; d.decode(s, p, read.Frames) {
				s.prepare(seed)
				segs = segs[:n+1]
				read.Segments++
			}
			return nil
		})
		b.segs = segs
		full <- b
	}()
	var alarm <-chan time.Time
	for {
		select {
		case b, more := <-full:
			if !more {
				*sum = read
				return failed
			}
			take(b)
			if alarm = nil; quiet != nil && b.whole {
				alarm = time.After(time.Duration(linger))
			}
			free <- b
		case <-alarm:
			quiet()
			alarm = nil
		}
	}
}
