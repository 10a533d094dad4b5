// Package script says what a peer does with one TCP connection, byte by byte
// and event by event: what a real HTTP library or server never does on purpose.
// Scripts are data in a scenario; backends/scripted plays them as a server and
// lab/clients/raw as a client (package play).
//
// # What fails
//
// An Op fails when its read or write does. A server logs it, closes the
// connection, and that is the end of the script. A client tells the first
// failure as its outcome and goes on to the end of the script: a response may
// be there to be read though the request could not be written. After a failure
// there is no Again.
//
// # In the words of others
//
// What MockWebServer, WireMock and toxiproxy do to a connection of HTTP/1, as a
// server's script:
//
//	MockWebServer, SocketPolicy
//	  KEEP_OPEN                        ReadRequest, Answer, Again
//	  DISCONNECT_AT_START              Close
//	  DISCONNECT_DURING_REQUEST_BODY   ReadHead, Read(half of it), Close: RST, as the rest is unread
//	  DISCONNECT_AFTER_REQUEST         ReadRequest, Close
//	  DISCONNECT_DURING_RESPONSE_BODY  ReadRequest, Write(head and half a body), Close
//	  DISCONNECT_AT_END                ReadRequest, Answer, Close
//	  HalfCloseAfterRequest            ReadRequest, Shut
//	  SHUTDOWN_OUTPUT_AT_END           ReadRequest, Answer, Shut
//	  SHUTDOWN_INPUT_AT_END            ReadRequest, Answer: SHUT_RD sends nothing and is no more than not to read
//	  SHUTDOWN_SERVER_AFTER_RESPONSE   ReadRequest, Answer, Say("answered"); then scenario.Said and Kill
//	  STALL_SOCKET_AT_START            an empty script
//	  NO_RESPONSE                      ReadRequest
//	  DO_NOT_READ_REQUEST_BODY         ReadHead, Answer, Close
//	  EXPECT_CONTINUE, CONTINUE_ALWAYS ReadHead, Write("HTTP/1.1 100 Continue\r\n\r\n"), Read(the body), Answer, Again
//	  FAIL_HANDSHAKE                   Read(1), Write("\x15\x03\x03\x00\x02\x02\x28"), Shut, ReadEnd, Close: a fatal
//	                                   handshake_failure (RFC 8446, 6.2)
//	  UPGRADE_TO_SSL_AT_END            ReadRequest, Answer, TLS
//	  RESET_STREAM_AT_START            HTTP/2 only
//
//	WireMock, Fault
//	  EMPTY_RESPONSE                   ReadRequest, Close
//	  CONNECTION_RESET_BY_PEER         ReadRequest, Reset
//	  RANDOM_DATA_THEN_CLOSE           ReadRequest, Write("no HTTP"), Close
//	  MALFORMED_RESPONSE_CHUNK         ReadRequest, Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk"), Close
//
//	toxiproxy, toxics
//	  latency                          ReadRequest, Rest, Answer, Again
//	  bandwidth                        ReadRequest, Answer.Slowly(1000, time.Second), Again; upstream: ReadEnd().Slowly
//	  slicer                           ReadRequest, Answer.Slowly(10, 0), Again: each piece is a segment (TCP_NODELAY)
//	  slow_close                       ReadRequest, Answer, Rest, Close
//	  timeout                          ReadRequest, Rest, Close; a timeout of 0: ReadRequest
//	  reset_peer                       ReadRequest, Rest, Reset
//	  limit_data                       ReadRequest, Write(so many bytes of a response), Close; upstream: Read(so many), Close
package script

import (
	"fmt"
	"time"
)

// Verb says what an Op does.
type Verb string

const (
	DoRead   Verb = "read"
	DoWrite  Verb = "write"
	DoRest   Verb = "rest"
	DoSay    Verb = "say"
	DoWait   Verb = "wait"
	DoTLS    Verb = "tls"
	DoBuffer Verb = "buffer"
	DoShut   Verb = "shut"
	DoClose  Verb = "close"
	DoReset  Verb = "reset"
	DoAgain  Verb = "again"
)

// What a DoRead reads.
const (
	Request  = "request"  // head and body, as Content-Length or the chunks say
	Head     = "head"     // to the empty line
	Response = "response" // as a client does: head and body, or body to the end of the connection
	End      = "end"      // everything, to the end of the connection
)

// Op is one thing that a peer does. Make it with one of the functions below.
type Op struct {
	Do    Verb          `json:"do"`
	What  string        `json:"what,omitempty"`  // DoRead; "": Bytes
	Bytes int           `json:"bytes,omitempty"` // DoRead, DoBuffer: so many. DoWrite: so many of filler, behind Text
	Text  Text          `json:"text,omitempty"`  // DoWrite: the bytes themselves
	Event string        `json:"event,omitempty"` // DoSay, DoWait
	Piece int           `json:"piece,omitempty"` // DoRead, DoWrite: bytes between two rests; 0 is all
	For   time.Duration `json:"for,omitempty"`   // DoRest and the rest after a Piece, in nanoseconds
}

// Text is the bytes of a DoWrite. A string of JSON has characters, and not
// every byte is one, so each byte travels as the character of its number
// (ISO 8859-1): what is ASCII stays legible, and every byte comes through.
type Text string

// MarshalText makes each byte a character.
func (t Text) MarshalText() ([]byte, error) {
	chars := make([]rune, len(t))
	for i := range len(t) {
		chars[i] = rune(t[i])
	}
	return []byte(string(chars)), nil
}

// UnmarshalText makes each character a byte again.
func (t *Text) UnmarshalText(text []byte) error {
	b := make([]byte, 0, len(text))
	for _, char := range string(text) {
		if char > 0xff {
			return fmt.Errorf("%q is no byte", char)
		}
		b = append(b, byte(char))
	}
	*t = Text(b)
	return nil
}

// ReadRequest reads a whole request, and not a byte more. A server counts it as
// run.
func ReadRequest() Op { return Op{Do: DoRead, What: Request} }

// ReadHead reads to the empty line that ends a head, and not a byte more. The
// status of a response is a client's outcome then: so HEAD is asked.
func ReadHead() Op { return Op{Do: DoRead, What: Head} }

// ReadResponse reads a whole response. What it is becomes the outcome of a
// client's step. An interim response, 1xx, is not (RFC 9110, 15.2).
func ReadResponse() Op { return Op{Do: DoRead, What: Response} }

// ReadEnd reads until the peer closes or resets, and throws it away.
func ReadEnd() Op { return Op{Do: DoRead, What: End} }

// Read reads so many bytes.
func Read(bytes int) Op { return Op{Do: DoRead, Bytes: bytes} }

// Write sends text, in one write.
func Write(text string) Op { return Op{Do: DoWrite, Text: Text(text)} }

// Fill sends so many bytes of no meaning.
func Fill(bytes int) Op { return Op{Do: DoWrite, Bytes: bytes} }

// Filled returns a write with so many bytes of no meaning behind its text, in
// the same write: what arrives together is there together.
func (o Op) Filled(bytes int) Op {
	o.Bytes = bytes
	return o
}

// Answer sends a whole response with this status and body, and leaves the
// connection open.
func Answer(status int, body string) Op {
	return Write(fmt.Sprintf("HTTP/1.1 %d Scripted\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body))
}

// Slowly returns a read or a write that rests after every so many bytes: a
// response that trickles, a narrow line, a reader that is behind.
func (o Op) Slowly(piece int, rest time.Duration) Op {
	o.Piece, o.For = piece, rest
	return o
}

// Rest lets time pass: the work that a request takes, a pause between bytes.
func Rest(d time.Duration) Op { return Op{Do: DoRest, For: d} }

// Say tells the conductor that the script has come here.
func Say(event string) Op { return Op{Do: DoSay, Event: event} }

// Wait waits until the conductor says so (scenario.Tell). What has been told
// stays told: the first Wait of a connection for an event passes with its first
// telling, before or after, the second with its second. So nobody has to know
// who comes first, and one telling releases every connection.
func Wait(event string) Op { return Op{Do: DoWait, Event: event} }

// TLS makes the handshake: the server's with a certificate of its own, the
// client's without looking at whose it is. What follows is inside, but Shut,
// Close and Reset, which are the TCP connection's: no close_notify is sent. A
// TLS library reads records and more, so a read inside is no longer exact: what
// the script has not read may have left the kernel, and Close may send FIN
// where there would have been RST.
func TLS() Op { return Op{Do: DoTLS} }

// Buffer sets the size of the receive buffer, SO_RCVBUF, in bytes. As the first
// Op on a client's connection it comes before connect, so that the window is
// small from the SYN on; a server has Server.Buffer.
func Buffer(bytes int) Op { return Op{Do: DoBuffer, Bytes: bytes} }

// Shut sends FIN and goes on reading: shutdown(SHUT_WR), a half-close.
func Shut() Op { return Op{Do: DoShut} }

// Close closes as close(2) does: FIN, or RST when something is unread (RFC
// 2525, 2.17). A script that ends without it leaves the connection open.
func Close() Op { return Op{Do: DoClose} }

// Reset closes with RST: SO_LINGER with a time of 0 (RFC 9293, 3.6: ABORT).
func Reset() Op { return Op{Do: DoReset} }

// Again goes back to the first Op of the connection's script.
func Again() Op { return Op{Do: DoAgain} }

// Server is what a scripted server does. The zero Server answers every request
// with 200 and keeps every connection, for ever. It travels as one argument of a
// program, which execve(2) limits to 128 KiB of JSON: Fill where it matters.
type Server struct {
	// Conns is what the first, the second, ... connection meets; the last is
	// also for all that come later.
	Conns [][]Op `json:"conns,omitempty"`

	Backlog int  `json:"backlog,omitempty"` // of listen(2): Linux queues one more than that; 0 is the system's
	Deaf    bool `json:"deaf,omitempty"`    // listens and never accepts: the kernel alone makes connections
	Buffer  int  `json:"buffer,omitempty"`  // SO_RCVBUF of each connection, in bytes; 0 is the system's
}

// Script returns what the nth connection meets, from 1.
func (s Server) Script(n int) []Op {
	if len(s.Conns) == 0 {
		return []Op{ReadRequest(), Answer(200, "scripted\n"), Again()}
	}
	return s.Conns[min(n, len(s.Conns))-1]
}

func (o Op) String() string {
	text := o.words()
	if o.Piece > 0 {
		text += fmt.Sprintf(", a rest of %s after every %d bytes", o.For, o.Piece)
	}
	return text
}

func (o Op) words() string {
	switch o.Do {
	case DoRead:
		if o.What != "" {
			return "read " + o.What
		}
		return fmt.Sprintf("read %d bytes", o.Bytes)
	case DoWrite:
		if o.Bytes > 0 && o.Text != "" {
			return fmt.Sprintf("write %q and %d bytes", o.Text, o.Bytes)
		}
		if o.Bytes > 0 {
			return fmt.Sprintf("write %d bytes", o.Bytes)
		}
		return fmt.Sprintf("write %q", o.Text)
	case DoBuffer:
		return fmt.Sprintf("receive buffer of %d bytes", o.Bytes)
	case DoRest:
		return "rest for " + o.For.String()
	case DoSay, DoWait:
		return fmt.Sprintf("%s %q", o.Do, o.Event)
	}
	return string(o.Do)
}
