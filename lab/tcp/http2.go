package tcp

// What a segment in HTTP/2 says (RFC 9113 4.1, 6).
const (
	http2Unknown = iota // the capture does not show all of it
	http2Nothing        // of the connection only: PING, SETTINGS, GOAWAY and the like
	http2Body           // DATA, or what goes on with it
	http2Head           // HEADERS: a request or an answer begins
)

// frames takes in n bytes of HTTP/2 at offset off, of which b was captured, and gives
// what they say, the most of their frames. The end of the last frame is kept in s.end,
// and whether the last HEADERS or DATA has left its stream open in sideStream.
func (s *side) frames(off int64, b []byte, n int32) (says int) {
	const (
		headers, endStream = 1, 1
		lastKind           = 9 // CONTINUATION
	)
	end := off + int64(n)
	says = http2Nothing
	if s.end > off {
		says = http2Body // goes on with a frame
		b = b[min(s.end-off, int64(len(b))):]
	} else {
		s.end = off // if a frame begins before, the capture lacks that
	}
	for s.end < end {
		if len(b) < 9 { // cut by the capture, or in the middle of a frame's head
			s.end, s.flags = end, s.flags|sideStream
			if says == http2Nothing {
				says = http2Unknown
			}
			return says
		}
		length := 9 + (int64(b[0])<<16 | int64(b[1])<<8 | int64(b[2]))
		if kind := b[3]; kind <= headers || kind > lastKind {
			says = max(says, http2Body)
			if kind == headers {
				says = http2Head
			}
			if s.flags &^= sideStream; b[4]&endStream == 0 {
				s.flags |= sideStream
			}
		}
		s.end += length
		b = b[min(length, int64(len(b))):]
	}
	return says
}
