package tcp

import (
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/net/http2/hpack"
)

// http2 is what is followed of a connection in HTTP/2 in the clear (RFC 9113): its
// streams, from the first to open to its end, and the fields of their messages.
type http2 struct {
	open   []stream // those that are not over, in the order in which they began
	gone   []stream // those that one side has reset, no longer than promptly ago
	goneBy int8     // which
	goneAt mark     // the first of them
	spoke  int64    // offset of the end of the server's last DATA or HEADERS of an answer
	word   mark     // the last segment with such of either side, in time, or with the end of a stream
	wordBy int8     // and which that was
	last   uint32   // the highest that the client opened
	says   int      // what the segment that is being taken says, the most of its frames
	frame  [2]frame // in progress, by direction
	fields [2]*hpack.Decoder
	block  []hpack.HeaderField // that a decoder puts out
	goAway [2]goAway           // the newest, by direction
}

// stream is one request and its answer (RFC 9113 5.1).
type stream struct {
	id    uint32
	line  uint32 // the request, in the explainer's table
	off   int64  // where it begins
	at    mark   // its HEADERS
	reply mark   // those of the final answer
	asked bool   // the request is whole
	done  bool   // and the answer
	left  int64  // of the answer's body, by its Content-Length; 0 without
	blind bool   // the answer's fields, and its Content-Length with them, are not known
}

// frame is the head of a frame (RFC 9113 4.1).
type frame struct {
	kind, flags byte
	length      int64 // of what follows it
	stream      uint32
	block       []byte // of HEADERS, PUSH_PROMISE and CONTINUATION: their fields so far
	first       byte   // and the flags of the first of them
}

// goAway says which streams its sender takes no more (RFC 9113 6.8).
type goAway struct {
	at   mark
	last uint32 // the highest that it may have taken
	code uint32
}

// goAwayReasons are the error codes (RFC 9113 7) by number.
var goAwayReasons = []string{"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM",
	"CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"}

// reason names why a side goes away.
func (g goAway) reason() string {
	if int64(g.code) < int64(len(goAwayReasons)) {
		return goAwayReasons[g.code]
	}
	return fmt.Sprintf("error %d", g.code)
}

// Types of frames (RFC 9113 6).
const (
	frameData         = 0
	frameHeaders      = 1
	frameReset        = 3
	frameSettings     = 4
	framePush         = 5
	framePing         = 6
	frameGoAway       = 7
	frameWindow       = 8
	frameContinuation = 9
)

// Flags of frames.
const (
	flagEndStream  = 1
	flagAck        = 1
	flagEndHeaders = 4
	flagPadded     = 8
	flagPriority   = 32
)

// What a segment in HTTP/2 says.
const (
	http2Unfed   = iota - 1 // it has not been looked at
	http2Unknown            // the capture does not show all of it
	http2Nothing            // of the connection only: PING, SETTINGS, GOAWAY and the like
	http2Body               // DATA, or what goes on with it
	http2Head               // HEADERS: a request or an answer begins
)

const (
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113 3.4
	frameHead   = 9                                  // bytes
	maxStreams  = 1 << 20                            // followed at a time, of all connections
	maxDecoders = 1 << 12                            // the same for directions whose fields are decoded
	maxTable    = 16 << 10                           // of a decoder, bytes (RFC 7541 4.2)
)

// isSettings says whether b begins with the frame that a server begins with
// (RFC 9113 3.4), which may be there before the client's preface.
func isSettings(b []byte) bool {
	return len(b) >= frameHead && b[0] == 0 && b[1] == 0 && b[2]%6 == 0 && b[3] == frameSettings && b[4] == 0 && begins(b[5:], "\x00\x00\x00\x00")
}

// frames has the messages of a flow framed by HTTP/2 from now on.
func (f *flow) frames(x *explainer, client int) {
	e := &f.http
	e.proto, e.client, e.flags = protoHTTP2, int8(client), e.flags|httpKnown
	h := &http2{}
	for d := range h.fields {
		if x.decoders < maxDecoders {
			x.decoders++
			h.fields[d] = hpack.NewDecoder(4096, func(field hpack.HeaderField) { h.block = append(h.block, field) })
			h.fields[d].SetMaxStringLength(maxTable)
		}
	}
	f.trouble(x).http2 = h
}

// upgraded has a flow go on in HTTP/2 with what was asked in HTTP/1 as its first stream
// (RFC 7540 3.2).
func (f *flow) upgraded(x *explainer) {
	e := &f.http
	f.frames(x, int(e.client))
	e.resps, e.done = e.resps-1, e.done-1 // the 101 is no answer
	h := f.more.http2
	h.last = 1
	h.open = append(h.open, stream{id: 1, line: e.reqLine, off: f.side[e.client].off(e.reqSeq), at: f.more.switched, asked: true})
	x.streams++
	f.countStreams()
}

// begun takes in that a flow whose beginning the capture lacks is in HTTP/2.
func (f *flow) begun(x *explainer) {
	f.http.proto = protoHTTP2
	f.trouble(x).http2 = &http2{}
	f.unfollowed()
}

// unframed takes back that a flow is in HTTP/2: its client does not begin as one.
func (f *flow) unframed(x *explainer) {
	f.more.http2.forget(x)
	f.more.http2, f.http.proto = nil, protoUnknown
	f.opaque()
}

// unfollowed takes in that of a flow's frames the capture lacks a part: which streams
// are open is not known any more.
func (f *flow) unfollowed() {
	f.http.flags = f.http.flags&^(reqOpen|respOpen) | reqLost | respLost
	f.opaque()
}

// opaque reads no more of either side.
func (f *flow) opaque() {
	for d := range f.side {
		f.side[d].http, f.side[d].pos = httpOpaque, f.side[d].nxt
	}
}

// forget gives back what the budgets of all flows have lent this one.
func (h *http2) forget(x *explainer) {
	x.streams -= len(h.open)
	for d := range h.fields {
		h.drop(x, d)
	}
}

// drop decodes no more fields of side d: their table depends on all that came before.
func (h *http2) drop(x *explainer, d int) {
	if h.fields[d] != nil {
		h.fields[d] = nil
		x.decoders--
	}
}

// read hands payload of side d to its stream, and gives what it says in HTTP/2.
func (f *flow) read(x *explainer, s *segment, d int, m mark, off int64) int {
	p, n := &f.side[d], int64(s.length)
	x.at = m
	if f.more != nil && f.more.http2 != nil {
		h := f.more.http2
		if h.says = http2Unknown; p.http == httpFrameBody || p.http == httpFields {
			h.says = h.frame[d].says() // goes on with it
		}
	}
	f.feed(x, d, off, s.payload, n)
	if f.more == nil || f.more.http2 == nil || p.http == httpOpaque || p.pos < off+n {
		return http2Unknown
	}
	h := f.more.http2
	if h.says >= http2Body && !f.late(d, off) {
		h.word, h.wordBy = x.at, int8(d)
	}
	return h.says
}

// read takes in the head of a frame, and gives the length of what follows it.
func (r *frame) read(b []byte) int64 {
	r.length = int64(b[0])<<16 | int64(b[1])<<8 | int64(b[2])
	r.kind, r.flags, r.stream = b[3], b[4], binary.BigEndian.Uint32(b[5:])&^(1<<31)
	return r.length
}

// known says whether a frame is of a type that has a meaning: others may be passed over
// (RFC 9113 5.5), but here they are more likely no frames at all.
func (r *frame) known() bool {
	const priorityUpdate = 0x10 // RFC 9218 7.1, the highest of all
	return r.kind <= priorityUpdate
}

// says is what a frame says by its type.
func (r *frame) says() int {
	if r.kind <= frameHeaders || r.kind > frameContinuation {
		return http2Body // HEADERS may be trailers
	}
	return http2Nothing
}

// readFrame takes in what of side d begins with the head of a frame, and gives the rest.
func (f *flow) readFrame(x *explainer, d int, b []byte, n int64) ([]byte, int64) {
	p, h := &f.side[d], f.more.http2
	carry := f.more.carry[d]
	whole := b[:min(len(b), frameHead-len(carry))]
	if len(carry) > 0 {
		whole = append(slices.Clip(carry), whole...)
	}
	if len(whole) < frameHead {
		if int64(len(b)) < n {
			f.lose(x, d, httpCut)
		} else {
			f.setCarry(x, d, slices.Clone(whole))
		}
		p.pos += n
		return nil, 0
	}
	used := frameHead - len(carry)
	f.setCarry(x, d, nil)
	p.pos += int64(used)
	r := &h.frame[d]
	length := r.read(whole)
	if !r.known() {
		f.lose(x, d, 0)
		p.pos += n - int64(used)
		return nil, 0
	}
	p.end, p.http = p.pos+length, httpFrameBody
	if h.says = max(h.says, r.says()); r.says() == http2Body && d != int(f.http.client) {
		if s := h.stream(r.stream); s != nil && !s.done {
			h.spoke = p.end
		}
	}
	switch r.kind {
	case frameHeaders, framePush:
		r.block, r.first = nil, r.flags
		f.beginStream(x, d, p.pos-frameHead)
		fallthrough
	case frameContinuation, frameSettings, frameGoAway:
		if length <= maxCarry {
			p.http = httpFields
		} else {
			h.drop(x, d)
		}
	}
	if length == 0 {
		f.frameDone(x, d, []byte{})
	}
	return b[min(used, len(b)):], n - int64(used)
}

// readFields takes in more of a frame whose content matters, and gives the rest.
func (f *flow) readFields(x *explainer, d int, b []byte, n int64) ([]byte, int64) {
	p, h := &f.side[d], f.more.http2
	left := p.end - p.pos
	switch take := min(left, n); {
	case int64(len(b)) < take: // cut by the capture
		h.drop(x, d)
		f.setCarry(x, d, nil)
		p.http = httpFrameBody
		return b, n
	case take < left:
		f.setCarry(x, d, append(slices.Clip(f.more.carry[d]), b[:take]...))
		p.pos += take
		return nil, 0
	}
	content := append(slices.Clip(f.more.carry[d]), b[:left]...)
	f.setCarry(x, d, nil)
	p.pos = p.end
	f.frameDone(x, d, content)
	return b[left:], n - left
}

// frameDone takes in that a frame of side d is whole; content is nil where it is not
// known.
func (f *flow) frameDone(x *explainer, d int, content []byte) {
	p, h := &f.side[d], f.more.http2
	r := &h.frame[d]
	p.http = httpFrame
	switch r.kind {
	case frameData:
		if s := h.stream(r.stream); s != nil && s.left > 0 && d != int(f.http.client) && r.flags&flagPadded == 0 {
			if s.left -= r.length; s.left <= 0 {
				r.flags |= flagEndStream // as far as its client is concerned
			}
		}
		f.endStream(x, d, r.stream, r.flags)
	case frameReset:
		f.overStream(x, d, r.stream)
	case frameHeaders, framePush, frameContinuation:
		f.fieldsDone(x, d, content)
	case frameSettings:
		const tableSize = 1 // SETTINGS_HEADER_TABLE_SIZE: of the peer's encoder
		for ; r.flags&flagAck == 0 && len(content) >= 6; content = content[6:] {
			if peer := h.fields[1-d]; peer != nil && binary.BigEndian.Uint16(content) == tableSize {
				peer.SetAllowedMaxDynamicTableSize(min(binary.BigEndian.Uint32(content[2:]), maxTable))
			}
		}
	case frameGoAway:
		if len(content) >= 8 {
			h.goAway[d] = goAway{x.at, binary.BigEndian.Uint32(content) &^ (1 << 31), binary.BigEndian.Uint32(content[4:])}
		}
	}
}

// fieldsDone takes in a part of a header block of side d (RFC 9113 4.3).
func (f *flow) fieldsDone(x *explainer, d int, content []byte) {
	h := f.more.http2
	r := &h.frame[d]
	if r.kind != frameContinuation {
		content = unpad(content, r)
	}
	if content == nil || len(r.block)+len(content) > maxCarry {
		h.drop(x, d)
	} else if h.fields[d] != nil {
		r.block = append(r.block, content...)
	}
	if r.flags&flagEndHeaders == 0 {
		return
	}
	push := r.kind == framePush
	if h.fields[d] != nil {
		if _, err := h.fields[d].Write(r.block); err != nil || h.fields[d].Close() != nil {
			h.drop(x, d)
		}
	}
	if r.block = nil; !push { // else of a stream that nobody asked for
		f.nameStream(x, d, r.stream)
		f.endStream(x, d, r.stream, r.first)
	}
	h.block = nil
}

// unpad gives the fields of a frame without what else it has (RFC 9113 6.2, 6.6); nil
// when it lies about its length.
func unpad(b []byte, r *frame) []byte {
	pad, skip := 0, 0
	if r.flags&flagPadded != 0 {
		if len(b) == 0 {
			return nil
		}
		pad, skip = int(b[0]), 1
	}
	switch {
	case r.kind == framePush:
		skip += 4
	case r.flags&flagPriority != 0:
		skip += 5
	}
	if skip+pad > len(b) {
		return nil
	}
	return b[skip : len(b)-pad]
}
