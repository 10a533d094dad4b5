package tcp

// During says in which part of an exchange a connection ended.
type During uint8

const (
	DuringUnknown During = iota
	DuringHandshake
	DuringIdle
	DuringRequest
	DuringAwaiting
	DuringResponse
)

var duringNames = []string{"unknown", "handshake", "idle", "request", "awaiting-response", "response"}

func (d During) String() string { return duringNames[d] }

func (d During) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *During) UnmarshalText(b []byte) error { return parseName(b, duringNames, (*uint8)(d)) }

// Answer says how much of the last request's answer was sent.
type Answer uint8

const (
	AnswerNone Answer = iota
	AnswerPartial
	AnswerWhole
)

var answerNames = []string{"none", "partial", "whole"}

func (a Answer) String() string { return answerNames[a] }

func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

func (a *Answer) UnmarshalText(b []byte) error { return parseName(b, answerNames, (*uint8)(a)) }

// protocol is what the first bytes of a flow look like.
type protocol uint8

const (
	protoUnknown protocol = iota
	protoHTTP1
	protoHTTP2 // in the clear, with prior knowledge
	protoTLS
	protoTunnel // after 101 Switching Protocols or CONNECT
)

var protocolNames = []string{"", "http/1", "http/2", "tls", "tunnel"}

// exchange follows the requests and responses of a flow (RFC 9112).
type exchange struct {
	reqs, resps uint32 // requests begun; final responses whose header is whole
	done        uint32 // responses whose body is whole
	reqSeq      uint32 // where the last request begins; of TLS: tlsTurn
	heads       uint32 // which of the last 32 requests have an answer without body (HEAD), by number; of TLS: tlsRecords
	reqLine     uint32 // the last request's method and target, in the explainer's table
	status      uint16 // of the last response
	hint        uint16 // seconds of "Keep-Alive: timeout=", 0 without
	client      int8   // side that sends requests, from what it sent; -1 unknown
	proto       protocol
	flags       httpFlags
}

type httpFlags uint16

const (
	reqOpen     httpFlags = 1 << iota // a request is begun and not whole
	respOpen                          // a response is begun and not whole
	reqLost                           // the framing of the requests is not known any more
	respLost                          // the same for the responses
	untilFIN                          // the response in progress ends with the connection
	httpKnown                         // client is set
	httpCut                           // framing was lost where the capture holds only the beginning of a packet
	httpGarbled                       // framing was lost over bytes that are no HTTP/1
	interim                           // an interim response (1xx) came to the last request
	httpMixed                         // answers in HTTP/1 to what is not
	httpUneven                        // there were answers to requests that the capture lacks: which answers which is not known
	httpReset                         // the last stream of HTTP/2 that is over was reset
)

// httpState is what a side's next byte belongs to.
type httpState uint8

const (
	httpUnset  httpState = iota
	httpStart            // a message begins
	httpHeader           // in a header that is carried over
	httpBody             // up to end
	httpChunkSize
	httpChunkData // up to end, with its CRLF
	httpTrailer
	httpFrame     // a frame of HTTP/2 begins
	httpFrameBody // up to end
	httpFields    // up to end, and what it holds matters
	httpClose     // up to the FIN
	httpLost      // not known; the next segment that looks like a message is one
	httpOpaque    // not HTTP, or no longer
)

// counted says that of the bytes up to end it need only be known that they were there.
func (h httpState) counted() bool {
	return h == httpBody || h == httpChunkData || h == httpFrameBody
}

// framed says that it is one of HTTP/2.
func (h httpState) framed() bool {
	return h == httpFrame || h == httpFrameBody || h == httpFields
}

func (e *exchange) has(f httpFlags) bool { return e.flags&f != 0 }

// reads says that the messages are read.
func (e *exchange) reads() bool {
	return e.proto == protoHTTP1 || e.proto == protoHTTP2 && !e.has(httpMixed)
}

// records is what the records of TLS have shown.
func (e *exchange) records() tlsRecords { return tlsRecords(e.heads) }

// during says where in the exchange the flow is now.
func (e *exchange) during(f *flow) During {
	switch {
	case !f.has(flowEstablished):
		return DuringHandshake
	case e.proto == protoUnknown && f.talker < 0 && !f.has(flowMidstream):
		return DuringIdle
	case !e.reads():
		return DuringUnknown
	case e.has(reqOpen):
		return DuringRequest
	case e.has(reqLost):
		return DuringUnknown
	case e.has(respOpen):
		if e.has(respLost) {
			return DuringUnknown
		}
		return DuringResponse
	case e.has(respLost):
		return DuringUnknown
	case e.reqs > e.done:
		return DuringAwaiting
	}
	return DuringIdle
}

// answer says how much of the last request's answer has come.
func (e *exchange) answer() Answer {
	switch {
	case !e.reads() || e.has(httpReset):
		return AnswerNone
	case e.has(respOpen):
		return AnswerPartial
	case e.reqs > e.done || e.done == 0:
		return AnswerNone
	}
	return AnswerWhole
}
