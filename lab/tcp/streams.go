package tcp

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
)

// late says whether what side d sends at offset off is the client's, behind all that the
// server had taken when that closed.
func (f *flow) late(d int, off int64) bool {
	return d == int(f.http.client) && f.side[1-d].fin != never && off >= f.more.ends[1-d].finAck
}

// beginStream takes in HEADERS of side d that begin at offset off.
func (f *flow) beginStream(x *explainer, d int, off int64) {
	h, e := f.more.http2, &f.http
	r := &h.frame[d]
	switch {
	case r.kind == framePush:
	case d != int(e.client) && r.stream > h.last && r.stream%2 == 1:
		e.flags |= httpUneven // the capture has it before its request, or lacks that
	case d != int(e.client):
		if s := h.stream(r.stream); s != nil && !s.reply.ok() && !s.done {
			s.reply, h.says = x.at, http2Head
			e.resps++
		}
	case r.stream > h.last && r.stream%2 == 1:
		h.last, h.says = r.stream, http2Head
		e.reqs++
		e.reqLine, e.reqSeq = 0, f.side[d].base+uint32(off)
		if f.late(d, off) {
			break
		}
		if x.streams >= maxStreams {
			f.lose(x, d, 0)
			break
		}
		x.streams++
		h.open = append(h.open, stream{id: r.stream, off: off, at: x.at})
	}
	f.countStreams()
}

// nameStream takes in the fields of a message of side d.
func (f *flow) nameStream(x *explainer, d int, id uint32) {
	h, e := f.more.http2, &f.http
	field := func(name string) string {
		for _, v := range h.block {
			if v.Name == name {
				return v.Value
			}
		}
		return ""
	}
	s := h.stream(id)
	if d == int(e.client) {
		if method := field(":method"); method != "" {
			e.reqLine = x.internLine(method + " " + field(":path"))
		}
		if s != nil && s.line == 0 {
			s.line = e.reqLine
		}
		return
	}
	if s != nil && h.fields[d] == nil {
		s.blind = true
	}
	status, err := strconv.ParseUint(field(":status"), 10, 16)
	switch {
	case s == nil || err != nil:
	case status < 200: // the final one is still to come
		s.reply = mark{}
		e.resps--
	default:
		e.status = uint16(status)
		s.left, _ = strconv.ParseInt(field("content-length"), 10, 64)
	}
	f.countStreams()
}

// endStream takes in what the flags of a frame of side d say of its stream's end.
func (f *flow) endStream(x *explainer, d int, id uint32, flags byte) {
	s := f.more.http2.stream(id)
	if s == nil || flags&flagEndStream == 0 {
		return
	}
	if d == int(f.http.client) {
		s.asked = s.asked || !f.late(d, f.side[d].pos-1)
	} else if !s.done {
		s.done = true
		f.http.done++
		f.http.flags &^= httpReset
	}
	if s.asked && s.done {
		f.overStream(x, d, id)
	}
	f.countStreams()
}

// overStream takes in that a stream is over, by its end or because side d has reset it.
func (f *flow) overStream(x *explainer, d int, id uint32) {
	h := f.more.http2
	i := slices.IndexFunc(h.open, func(s stream) bool { return s.id == id })
	if i < 0 || f.late(d, f.side[d].pos-1) {
		return
	}
	if !h.open[i].done {
		f.http.done++
		f.http.flags |= httpReset
		if int(h.goneBy) != d || x.at.time()-h.goneAt.time() > promptly {
			h.gone, h.goneBy, h.goneAt = h.gone[:0], int8(d), x.at
		}
		h.gone = append(h.gone, h.open[i])
	}
	h.open = slices.Delete(h.open, i, i+1)
	h.word, h.wordBy = x.at, int8(d)
	x.streams--
	f.countStreams()
}

// leftStreams takes in that side d ends the connection, first of all: streams that it
// has just reset were open until then.
func (f *flow) leftStreams(x *explainer, d int, m mark) {
	h := f.more.http2
	if len(h.gone) == 0 || int(h.goneBy) != d || m.time()-h.goneAt.time() > promptly || f.http.has(reqLost|respLost) {
		return
	}
	h.open = append(h.gone, h.open...)
	x.streams += len(h.gone)
	f.http.done -= uint32(len(h.gone))
	f.http.flags &^= httpReset
	h.gone = nil
	f.countStreams()
}

// closedStreams takes in a FIN of side d: streams that the server does not acknowledge
// with its own were never taken, and of those that its GOAWAY has refused the client
// awaits no answer any more.
func (f *flow) closedStreams(x *explainer, d int) {
	h, e := f.more.http2, &f.http
	was := len(h.open)
	if int(e.client) == d {
		h.open = slices.DeleteFunc(h.open, func(s stream) bool { return h.goAway[1-d].at.ok() && s.id > h.goAway[1-d].last })
		if n := was - len(h.open); n > 0 {
			e.done, e.flags, x.streams = e.done+uint32(n), e.flags|httpReset, x.streams-n
			f.countStreams()
		}
		return
	}
	h.open = slices.DeleteFunc(h.open, func(s stream) bool { return s.off >= f.more.ends[d].finAck })
	x.streams -= was - len(h.open)
	f.more.before = e.done
	for i := range h.open {
		f.more.before += uint32(btoi(!h.open[i].done))
	}
	f.countStreams()
}

// furthest gives the stream that countStreams speaks of, or nil.
func (h *http2) furthest() *stream {
	for _, is := range []func(s *stream) bool{
		func(s *stream) bool { return s.reply.ok() && !s.done },
		func(s *stream) bool { return s.asked },
		func(s *stream) bool { return true },
	} {
		for i := range h.open {
			if is(&h.open[i]) {
				return &h.open[i]
			}
		}
	}
	return nil
}

// stream gives one that is open, or nil.
func (h *http2) stream(id uint32) *stream {
	for i := range h.open {
		if h.open[i].id == id {
			return &h.open[i]
		}
	}
	return nil
}

// countStreams says by the exchange's flags how far the streams are, the furthest of
// them.
func (f *flow) countStreams() {
	h, e := f.more.http2, &f.http
	e.flags &^= reqOpen | respOpen
	switch s := h.furthest(); {
	case s == nil:
	case s.reply.ok() && !s.done:
		e.flags |= respOpen
	case !s.asked:
		e.flags |= reqOpen
	}
}

// internLine is intern for a line that is no message's.
func (x *explainer) internLine(line string) uint32 {
	return x.intern(&message{name: maphash.String(names, line), line: int32(len(line))}, []byte(line))
}

// ---- of a connection that is over ----

// besides tells of the other streams of HTTP/2 that were open, and whether the server had
// said that it would not take that request.
func (st *story) besides() (text string) {
	switch {
	case st.others == 1:
		text = " One more stream was open."
	case st.others > 1:
		text = fmt.Sprintf(" %d more streams were open.", st.others)
	}
	if st.proto == protoHTTP2 {
		if s, bye := st.f.more.http2.furthest(), st.goAway(st.s); s != nil && bye.at.ok() && s.id > bye.last {
			text += fmt.Sprintf(" The GOAWAY of %s (%d) says that it has not taken that request: it may be sent again.", st.who(st.s), st.frame(bye.at))
		}
	}
	return text
}

// blind says that of an answer in HTTP/2 that its stream has not ended the length is not
// known: it may have been whole.
func (st *story) blind() bool {
	if st.proto != protoHTTP2 {
		return false
	}
	s := st.f.more.http2.furthest()
	return s != nil && s.blind
}

// goAway is the last of a side in HTTP/2, if it said so.
func (st *story) goAway(i int) goAway {
	if st.proto != protoHTTP2 {
		return goAway{}
	}
	return st.f.more.http2.goAway[i]
}

// spoke is the offset of the end of what the server said of answers.
func (st *story) spoke() int64 {
	said := st.side(st.s).said()
	if st.proto == protoHTTP2 {
		return min(said, st.f.more.http2.spoke)
	}
	return said
}
