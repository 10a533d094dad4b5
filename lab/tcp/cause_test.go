package tcp

import (
	"strings"
	"testing"
)

// toSYN as the sequence number of a line stands for the absolute 0 of an RST
// that answers a SYN.
const toSYN = 1<<32 - 1

// scripts holds a connection for each cause, and for each neighbour that looks
// like it.
var scripts = []struct {
	name   string
	script []line
	cause  Cause
	closed Side
	reset  Side
	during During
	answer Answer
	kinds  []ResetKind
	frail  int // frame without which another cause fits as well
}{
	{"a server that defers its accept is not full", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.0001, 'S', "S.", 0, 1, "", nil},
		{0.0002, 'C', ".", 1, 1, "", nil},
		{1.0, 'S', "S.", 0, 1, "", nil},
		{1.0001, 'C', ".", 1, 1, "", nil},
	}, CauseOpen, None, None, DuringIdle, AnswerNone, nil, 5},
	{"a SYN that is refused, sent again and answered", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.0001, 'S', "R.", toSYN, 1, "", nil},
		{0.5, 'C', "S", 0, 0, "", nil},
		{0.5001, 'S', "S.", 0, 1, "", nil},
		{0.5002, 'C', ".", 1, 1, "", nil},
		{0.501, 'C', "P.", 1, 1, get, nil},
		{0.502, 'S', "P.", 1, cReq, ok, nil},
		{9, 'C', ".", cReq, sOK, "", nil},
	}, CauseOpen, None, None, DuringIdle, AnswerWhole, []ResetKind{ToSYN}, 0},
	{"a RST right behind a probe is not the probe's", exchanged(
		line{5, 'S', ".", sOK - 1, cReq, "", nil},
		line{5.01, 'S', "R.", sOK, cReq, "", nil},
	), CauseAborted, None, Server, DuringIdle, AnswerWhole, []ResetKind{Abort}, 6},
	{"a RST older than what the peer has is not taken", exchanged(
		line{1, 'S', "R.", 1, cReq, "", nil},
		line{20, 'C', "P.", cReq, sOK, get, nil},
		line{20.001, 'S', "P.", sOK, 2*cReq - 1, ok, nil},
	), CauseOpen, None, None, DuringIdle, AnswerWhole, []ResetKind{Abort}, 7},
	{"a request behind the FIN that is acknowledged and never answered", exchanged(
		line{5, 'S', "F.", sOK, cReq, "", nil},
		line{5.001, 'C', "P.", cReq, sOK + 1, get, nil},
		line{5.002, 'S', ".", sOK + 1, 2*cReq - 1, "", nil},
		line{6, 'C', "F.", 2*cReq - 1, sOK + 1, "", nil},
		line{6.001, 'S', ".", sOK + 1, 2 * cReq, "", nil},
	), CauseStaleIdle, Server, None, DuringIdle, AnswerNone, nil, 0},
	{"a server that closes on a word it does not answer, of a protocol that is not read", opened(
		line{0.001, 'C', "P.", 1, 1, "WATCH all of them 1\r\n", nil},
		line{0.2, 'S', "F.", 1, 22, "", nil},
		line{0.21, 'C', "F.", 22, 2, "", nil},
		line{0.22, 'S', ".", 2, 23, "", nil},
	), CauseUnexplained, Server, None, DuringUnknown, AnswerNone, nil, 0},
	{"a RST that crosses the next request", exchanged(
		line{1, 'C', "P.", cReq, sOK, get, nil},
		line{1.00001, 'S', "R.", sOK, cReq, "", nil},
		line{1.001, 'S', "R", sOK, 0, "", nil},
	), CauseAborted, None, Server, DuringIdle, AnswerWhole, []ResetKind{Abort, NoConnection}, 9},
	{"a method that is in no list", opened(
		line{0.001, 'C', "P.", 1, 1, "MERGE /x HTTP/1.1\r\n\r\n", nil},
		line{0.3, 'S', "F.", 1, 22, "", nil},
		line{0.301, 'C', "F.", 22, 2, "", nil},
	), CauseNoResponse, Server, None, DuringAwaiting, AnswerNone, nil, 0},
	{"a client that half-closes and takes half an answer has not left", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'C', "F.", cReq, 1, "", nil},
		line{0.1, 'S', "P.", 1, cReq + 1, longAns, nil},
		line{0.1001, 'C', ".", cReq + 1, 1 + uint32(len(longAns)), "", nil},
		line{0.2, 'S', "F.", 1 + uint32(len(longAns)), cReq + 1, "", nil},
		line{0.201, 'C', ".", cReq + 1, 2 + uint32(len(longAns)), "", nil},
	), CauseUnexplained, Client, None, DuringAwaiting, AnswerPartial, nil, 9},
	{"the FIN behind the RST that answers for it", exchanged(
		line{5, 'C', "P.", cReq, sOK, get, nil},
		line{5.001, 'S', "R", sOK, 0, "", nil},
		line{5.0011, 'S', "F.", sOK, cReq, "", nil},
	), CauseUnexplained, Server, Server, DuringAwaiting, AnswerNone, []ResetKind{NoConnection}, 10},
	{"a client that shuts its writing side, and no more of it", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'C', "F.", cReq, 1, "", nil},
		line{0.042, 'S', ".", 1, cReq + 1, "", nil},
	), CauseHalfClosed, Client, None, DuringAwaiting, AnswerNone, nil, 0},
	{"a client that closes behind what the capture lacks of the answer, perhaps a FIN", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'S', ".", 1, cReq, bigAns, nil},
		line{1.001, 'C', "F.", cReq, 5000, "", nil},
		line{1.002, 'S', ".", 5000, cReq + 1, "", nil},
	), CauseHalfClosed, Client, None, DuringResponse, AnswerPartial, nil, 0},
	{"a bare RST behind its sender's own request answers something", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{2, 'C', "R", cReq, 0, "", nil},
	), CauseUnexplained, None, Client, DuringAwaiting, AnswerNone, []ResetKind{Abort}, 0},
	{"a bare RST long after the handshake", opened(
		line{8, 'S', "R", 1, 0, "", nil},
	), CauseUnexplained, None, Server, DuringIdle, AnswerNone, []ResetKind{NoConnection}, 0},
	{"the end of an answer, and the RST to it", []line{
		{0, 'S', "P.", 1, cReq, ok[:60], nil},
		{0.004, 'C', ".", cReq, 61, "", nil},
		{0.0041, 'S', "P.", 61, cReq, ok[60:], nil},
		{0.0042, 'C', "F.", cReq, 61, "", nil},
		{0.0043, 'S', "F.", sOK, cReq + 1, "", nil},
		{0.008, 'C', "R", cReq, 0, "", nil},
	}, CauseUnexplained, Client, Client, DuringIdle, AnswerWhole, []ResetKind{ToDataAfterClose}, 4},
	{"a bare RST to a FIN, or to data that it does not acknowledge", []line{
		{0, 'S', "P.", 1, cReq, ok[:60], nil},
		{0.0041, 'S', "P.", 61, cReq, ok[60:], nil},
		{0.0043, 'S', "F.", sOK, cReq, "", nil},
		{0.008, 'C', "R", cReq, 0, "", nil},
	}, CauseUnexplained, Server, Client, DuringIdle, AnswerWhole, []ResetKind{NoConnection}, 3},
	{"a crossing of which little is left", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{1, 'S', "F.", sOK, cReq, "", nil},
		{1.0001, 'C', "P.", cReq, sOK, get, nil},
		{1.0002, 'S', "R", sOK, 0, "", nil},
		{1.0003, 'C', "F.", 2*cReq - 1, sOK + 1, "", nil},
	}, CauseUnexplained, Server, Server, DuringHandshake, AnswerNone, []ResetKind{ToDataAfterClose}, 3},
	{"a client that leaves in its own request, the server's FIN not in the capture", opened(
		line{0.001, 'C', "P.", 1, 1, "POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\nabc", nil},
		line{0.002, 'S', ".", 1, 45, "", nil},
		line{1, 'C', "F.", 45, 1, "", nil},
		line{1.001, 'C', ".", 46, 2, "", nil},
	), CauseUnexplained, Client, None, DuringRequest, AnswerNone, nil, 0},
	{"a SYN that is refused, sent again and answered, and no more of it", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.0001, 'S', "R.", toSYN, 1, "", nil},
		{0.5, 'C', "S", 0, 0, "", nil},
		{0.5001, 'S', "S.", 0, 1, "", nil},
	}, CauseUnexplained, None, None, DuringHandshake, AnswerNone, []ResetKind{ToSYN}, 4},
	{"SYN-ACK again and again, and one direction", []line{
		{0.1, 'S', "S.", 0, 1, "", nil},
		{1.1, 'S', "S.", 0, 1, "", nil},
	}, CauseUnexplained, None, None, DuringHandshake, AnswerNone, nil, 0},
	{"a body that begins as a request does, in the middle of a connection", []line{
		{0, 'S', "P.", 100, 50, "GET / was answered by worker 7\n", nil},
		{0.0001, 'C', ".", 50, 131, "", nil},
		{2, 'S', "F.", 131, 50, "", nil},
		{2.001, 'C', "F.", 50, 132, "", nil},
		{2.0011, 'S', ".", 132, 51, "", nil},
	}, CauseUnexplained, Server, None, DuringUnknown, AnswerNone, nil, 0},
	{"pipelined, and the handshake is not in the capture", []line{
		{0.001, 'C', "P.", 1, 1, get + get + get, nil},
		{0.0011, 'S', ".", 1, 3*cReq - 2, "", nil},
		{0.003, 'S', "P.", 1, 3*cReq - 2, ok, nil},
		{0.0031, 'C', ".", 3*cReq - 2, sOK, "", nil},
		{0.004, 'S', "F.", sOK, 3*cReq - 2, "", nil},
		{0.0041, 'C', "F.", 3*cReq - 2, sOK + 1, "", nil},
		{0.0042, 'S', ".", sOK + 1, 3*cReq - 1, "", nil},
	}, CauseUnexplained, Server, None, DuringUnknown, AnswerWhole, nil, 1},
	{"refused", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.0001, 'S', "R.", toSYN, 1, "", nil},
	}, CauseRefused, None, Server, DuringHandshake, AnswerNone, []ResetKind{ToSYN}, 0},
	{"one SYN proves nothing", []line{
		{0, 'C', "S", 0, 0, "", nil},
	}, CauseUnexplained, None, None, DuringHandshake, AnswerNone, nil, 0},
	{"unanswered", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{1, 'C', "S", 0, 0, "", nil},
		{2, 'C', "S", 0, 0, "", nil},
	}, CauseUnanswered, None, None, DuringHandshake, AnswerNone, nil, 0},
	{"unanswered SYN-ACK", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.1, 'S', "S.", 0, 1, "", nil},
		{1.1, 'S', "S.", 0, 1, "", nil},
		{3.1, 'S', "S.", 0, 1, "", nil},
	}, CauseUnanswered, None, None, DuringHandshake, AnswerNone, nil, 0},
	{"stale-idle", exchanged(
		line{5.004, 'S', "F.", sOK, cReq, "", nil},
		line{5.046, 'C', ".", cReq, sOK + 1, "", nil},
		line{6.006, 'C', "P.", cReq, sOK + 1, get, nil},
		line{6.0061, 'S', "R", sOK + 1, 0, "", nil},
	), CauseStaleIdle, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose}, 0},
	{"stale-idle without the pure ACK", exchanged(
		line{5.004, 'S', "F.", sOK, cReq, "", nil},
		line{5.006, 'C', "P.", cReq, sOK + 1, get, nil},
		line{5.0061, 'S', "R", sOK + 1, 0, "", nil},
	), CauseStaleIdle, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose}, 0},
	{"stale-idle, the client closes before the RST", exchanged(
		line{5.004, 'S', "F.", sOK, cReq, "", nil},
		line{5.046, 'C', ".", cReq, sOK + 1, "", nil},
		line{6.006, 'C', "P.", cReq, sOK + 1, get, nil},
		line{6.00601, 'C', "F.", 2*cReq - 1, sOK + 1, "", nil},
		line{6.0061, 'S', "R", sOK + 1, 0, "", nil},
		line{6.0062, 'S', "R", sOK + 1, 0, "", nil},
	), CauseStaleIdle, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose, AfterClose}, 0},
	{"stale-idle, RST with ACK", exchanged(
		line{5.004, 'S', "F.", sOK, cReq, "", nil},
		line{5.046, 'C', ".", cReq, sOK + 1, "", nil},
		line{6.006, 'C', "P.", cReq, sOK + 1, get, nil},
		line{6.0061, 'S', "R.", sOK + 1, 2*cReq - 1, "", nil},
	), CauseStaleIdle, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose}, 0},
	{"stale-idle, request in two segments", exchanged(
		line{5.004, 'S', "F.", sOK, cReq, "", nil},
		line{5.046, 'C', ".", cReq, sOK + 1, "", nil},
		line{6.006, 'C', "P.", cReq, sOK + 1, "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", nil},
		line{6.00601, 'C', "P.", cReq + 38, sOK + 1, "abc", nil},
		line{6.0061, 'S', "R", sOK + 1, 0, "", nil},
		line{6.0062, 'S', "R", sOK + 1, 0, "", nil},
	), CauseStaleIdle, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose, ToDataAfterClose}, 0},
	{"stale-fin-lost", exchanged(
		line{1.004, 'S', "F.", sOK, cReq, "", nil},
		line{1.208, 'S', "F.", sOK, cReq, "", nil},
		line{1.310, 'C', "P.", cReq, sOK, get, nil},
		line{1.3101, 'S', "R", sOK, 0, "", nil},
	), CauseStaleFinLost, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose}, 0},
	{"stale-crossing at the server", exchanged(
		line{1.004, 'S', "F.", sOK, cReq, "", nil},
		line{1.00405, 'C', "P.", cReq, sOK, get, nil},
		line{1.0041, 'S', "R", sOK, 0, "", nil},
		line{1.0042, 'C', "F.", 2*cReq - 1, sOK + 1, "", nil},
		line{1.0043, 'S', "R", sOK + 1, 0, "", nil},
	), CauseStaleCrossing, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose, AfterClose}, 0},
	{"stale-crossing at the client", exchanged(
		line{1.004, 'C', "P.", cReq, sOK, get, nil},
		line{1.00405, 'S', "F.", sOK, cReq, "", nil},
		line{1.0041, 'S', "R", sOK, 0, "", nil},
	), CauseStaleCrossing, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose}, 0},
	{"stale-crossing at the client, far from the server", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.2, 'S', "S.", 0, 1, "", nil},
		{0.2001, 'C', ".", 1, 1, "", nil},
		{0.201, 'C', "P.", 1, 1, get, nil},
		{0.402, 'S', "P.", 1, cReq, ok, nil},
		{0.4021, 'C', ".", cReq, sOK, "", nil},
		{2, 'C', "P.", cReq, sOK, get, nil},
		{2.15, 'S', "F.", sOK, cReq, "", nil},
		{2.1501, 'C', ".", 2*cReq - 1, sOK + 1, "", nil},
		{2.201, 'S', "R", sOK, 0, "", nil},
	}, CauseStaleCrossing, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose}, 0},
	{"a lost copy of the FIN is no crossing", exchanged(
		line{1.004, 'S', "F.", sOK, cReq, "", nil},
		line{1.900, 'C', "P.", cReq, sOK, get, nil},
		line{1.9001, 'S', "R", sOK, 0, "", nil},
	), CauseUnexplained, Server, Server, DuringIdle, AnswerNone, []ResetKind{ToDataAfterClose}, 8},
	{"closed by the client", exchanged(
		line{3, 'C', "F.", cReq, sOK, "", nil},
		line{3.0001, 'S', "F.", sOK, cReq + 1, "", nil},
		line{3.0002, 'C', ".", cReq + 1, sOK + 1, "", nil},
	), CauseClosed, Client, None, DuringIdle, AnswerWhole, nil, 0},
	{"closed by the client at once", exchanged(
		line{0.01, 'C', "F.", cReq, sOK, "", nil},
		line{0.0101, 'S', "F.", sOK, cReq + 1, "", nil},
		line{0.0102, 'C', ".", cReq + 1, sOK + 1, "", nil},
	), CauseClosed, Client, None, DuringIdle, AnswerWhole, nil, 0},
	{"closed by the client over an answer longer than announced", exchanged(
		line{0.004, 'S', "P.", sOK, cReq, "more", nil},
		line{3, 'C', "F.", cReq, sOK + 4, "", nil},
		line{3.0001, 'S', "F.", sOK + 4, cReq + 1, "", nil},
	), CauseClosed, Client, None, DuringUnknown, AnswerWhole, nil, 0},
	{"closed by the client over an answer that is no HTTP", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'S', "P.", 1, cReq, "SSH-2.0-OpenSSH\r\n", nil},
		line{0.003, 'C', "F.", cReq, 18, "", nil},
		line{0.004, 'S', "F.", 18, cReq + 1, "", nil},
	), CauseClosed, Client, None, DuringUnknown, AnswerNone, nil, 0},
	{"closed by the client over a bad chunk", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'S', "P.", 1, cReq, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsize\r\n", nil},
		line{0.003, 'C', "F.", cReq, 54, "", nil},
		line{0.004, 'S', "F.", 54, cReq + 1, "", nil},
	), CauseClosed, Client, None, DuringUnknown, AnswerPartial, nil, 0},
	{"closed by the client, the messages cut off", opened(
		line{0.001, 'C', "P.", 1, 1, "GET /lo", func(w *wire) { w.extraLen = 100 }},
		line{0.002, 'S', "P.", 1, 108, "HTTP/1.1 ", func(w *wire) { w.extraLen = 191 }},
		line{0.003, 'C', "F.", 108, 201, "", nil},
		line{0.004, 'S', "F.", 201, 109, "", nil},
	), CauseUnexplained, Client, None, DuringUnknown, AnswerPartial, nil, 0},
	{"closed by the server", exchanged(
		line{3, 'S', "F.", sOK, cReq, "", nil},
		line{3.0001, 'C', "F.", cReq, sOK + 1, "", nil},
		line{3.0002, 'S', ".", sOK + 1, cReq + 1, "", nil},
	), CauseClosed, Server, None, DuringIdle, AnswerWhole, nil, 0},
	{"closed by both", exchanged(
		line{3, 'S', "F.", sOK, cReq, "", nil},
		line{3.0001, 'C', "F.", cReq, sOK, "", nil},
		line{3.0002, 'S', ".", sOK + 1, cReq + 1, "", nil},
		line{3.0002, 'C', ".", cReq + 1, sOK + 1, "", nil},
	), CauseClosed, Both, None, DuringIdle, AnswerWhole, nil, 0},
	{"closed with a late reset", exchanged(
		line{3, 'S', "F.", sOK, cReq, "", nil},
		line{3.0001, 'C', "F.", cReq, sOK + 1, "", nil},
		line{3.0002, 'C', "R.", cReq + 1, sOK + 1, "", nil},
	), CauseClosed, Server, Client, DuringIdle, AnswerWhole, []ResetKind{AfterClose}, 0},
	{"half-closed", exchanged(
		line{3, 'S', "F.", sOK, cReq, "", nil},
		line{3.04, 'C', ".", cReq, sOK + 1, "", nil},
	), CauseHalfClosed, Server, None, DuringIdle, AnswerWhole, nil, 0},
	{"a request after the FIN, and no RST", exchanged(
		line{3, 'S', "F.", sOK, cReq, "", nil},
		line{3.04, 'C', ".", cReq, sOK + 1, "", nil},
		line{4, 'C', "P.", cReq, sOK + 1, get, nil},
	), CauseHalfClosed, Server, None, DuringIdle, AnswerNone, nil, 0},
	{"discarded", exchanged(
		line{3, 'S', "F.", sOK, cReq, "", nil},
		line{3.04, 'C', ".", cReq, sOK + 1, "", nil},
		line{4, 'C', "R.", cReq, sOK + 1, "", nil},
	), CauseDiscarded, Server, Client, DuringIdle, AnswerWhole, []ResetKind{Abort}, 0},
	{"discarded with a bare RST at once", exchanged(
		line{3, 'S', "F.", sOK, cReq, "", nil},
		line{3.0001, 'C', "R", cReq, 0, "", nil},
	), CauseDiscarded, Server, Client, DuringIdle, AnswerWhole, []ResetKind{NoConnection}, 0},
	{"FIN and RST of one side", exchanged(
		line{3, 'C', "F.", cReq, sOK, "", nil},
		line{3.0001, 'C', "R.", cReq + 1, sOK, "", nil},
	), CauseHalfClosed, Client, Client, DuringIdle, AnswerWhole, []ResetKind{Abort}, 0},
	{"aborted by the server with the request unread", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.0011, 'S', ".", 1, cReq, "", nil},
		line{0.3, 'S', "R.", 1, cReq, "", nil},
	), CauseAborted, None, Server, DuringAwaiting, AnswerNone, []ResetKind{Abort}, 0},
	{"aborted in mid-response", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'S', "P.", 1, cReq, longAns, nil},
		line{0.003, 'C', ".", cReq, 1 + uint32(len(longAns)), "", nil},
		line{0.3, 'S', "R.", 1 + uint32(len(longAns)), cReq, "", nil},
	), CauseAborted, None, Server, DuringResponse, AnswerPartial, []ResetKind{Abort}, 0},
	{"the client died with an unread answer", exchanged(
		line{0.3, 'C', "R.", cReq, sOK, "", nil},
	), CauseAborted, None, Client, DuringIdle, AnswerWhole, []ResetKind{Abort}, 0},
	{"data crosses the abort", opened(
		line{0.001, 'C', ".", 1, 1, "POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n", nil},
		line{0.002, 'S', "R.", 1, 42, "", nil},
		line{0.0021, 'C', "P.", 42, 1, "abc", nil},
		line{0.0022, 'S', "R", 1, 0, "", nil},
	), CauseAborted, None, Server, DuringRequest, AnswerNone, []ResetKind{Abort, NoConnection}, 4},
	{"flow-forgotten", exchanged(
		line{60, 'C', "P.", cReq, sOK, get, nil},
		line{60.0001, 'S', "R", sOK, 0, "", nil},
	), CauseFlowForgotten, None, Server, DuringAwaiting, AnswerNone, []ResetKind{NoConnection}, 0},
	{"flow-forgotten at a probe", exchanged(
		line{60, 'C', ".", cReq - 1, sOK, "", nil},
		line{60.0001, 'S', "R", sOK, 0, "", nil},
	), CauseFlowForgotten, None, Server, DuringIdle, AnswerWhole, []ResetKind{NoConnection}, 0},
	{"not forgotten: the FIN is missing in the capture", exchanged(
		line{6, 'C', "P.", cReq, sOK + 1, get, nil},
		line{6.0001, 'S', "R", sOK + 1, 0, "", nil},
	), CauseStaleIdle, Server, Server, DuringIdle, AnswerNone, []ResetKind{NoConnection}, 0},
	{"unknown past", []line{
		{0, 'C', "P.", 1, 1, get, nil},
		{0.0001, 'S', "R", 1, 0, "", nil},
	}, CauseUnexplained, None, Server, DuringAwaiting, AnswerNone, []ResetKind{NoConnection}, 0},
	{"vanished", exchanged(
		line{1, 'C', "P.", cReq, sOK, get, nil},
		line{1.2, 'C', "P.", cReq, sOK, get, nil},
		line{1.6, 'C', "P.", cReq, sOK, get, nil},
		line{2.4, 'C', "P.", cReq, sOK, get, nil},
		line{3, 'C', "F.", 2*cReq - 1, sOK, "", nil},
	), CauseVanished, Client, None, DuringAwaiting, AnswerNone, nil, 0},
	{"vanished before the FIN", exchanged(
		line{3, 'C', "F.", cReq, sOK, "", nil},
		line{3.2, 'C', "F.", cReq, sOK, "", nil},
		line{3.6, 'C', "F.", cReq, sOK, "", nil},
		line{4.4, 'C', "F.", cReq, sOK, "", nil},
	), CauseVanished, Client, None, DuringIdle, AnswerWhole, nil, 0},
	{"open", exchanged(), CauseOpen, None, None, DuringIdle, AnswerWhole, nil, 0},
	{"truncated", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'S', "P.", 1, cReq, longAns, nil},
		line{0.3, 'S', "F.", 1 + uint32(len(longAns)), cReq, "", nil},
		line{0.301, 'C', "F.", cReq, 2 + uint32(len(longAns)), "", nil},
		line{0.302, 'S', ".", 2 + uint32(len(longAns)), cReq + 1, "", nil},
	), CauseTruncated, Server, None, DuringResponse, AnswerPartial, nil, 0},
	{"truncated, FIN with the data", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'S', "FP.", 1, cReq, longAns, nil},
		line{0.301, 'C', ".", cReq, 2 + uint32(len(longAns)), "", nil},
	), CauseTruncated, Server, None, DuringResponse, AnswerPartial, nil, 0},
	{"no-response", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.2, 'S', "F.", 1, cReq, "", nil},
		line{0.201, 'C', "F.", cReq, 2, "", nil},
		line{0.202, 'S', ".", 2, cReq + 1, "", nil},
	), CauseNoResponse, Server, None, DuringAwaiting, AnswerNone, nil, 0},
	{"early-close", opened(
		line{0.001, 'C', "P.", 1, 1, "POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n", nil},
		line{0.002, 'S', "P.", 1, 42, "HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n", nil},
		line{0.003, 'S', "F.", 38, 42, "", nil},
		line{0.050, 'C', "P.", 42, 39, "0123456789", nil},
		line{0.0501, 'S', "R", 39, 0, "", nil},
	), CauseEarlyClose, Server, Server, DuringRequest, AnswerWhole, []ResetKind{ToDataAfterClose}, 0},
	{"abandoned by FIN, answered later", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.3, 'C', "F.", cReq, 1, "", nil},
		line{0.34, 'S', ".", 1, cReq + 1, "", nil},
		line{1, 'S', "P.", 1, cReq + 1, ok, nil},
		line{1.001, 'C', "R", 1, 0, "", nil},
	), CauseAbandoned, Client, Client, DuringAwaiting, AnswerNone, []ResetKind{ToDataAfterClose}, 0},
	{"abandoned by FIN", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.3, 'C', "F.", cReq, 1, "", nil},
		line{0.301, 'S', "F.", 1, cReq + 1, "", nil},
		line{0.302, 'C', ".", cReq + 1, 2, "", nil},
	), CauseAbandoned, Client, None, DuringAwaiting, AnswerNone, nil, 0},
	{"a client that only shuts its writing side", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.3, 'C', "F.", cReq, 1, "", nil},
		line{1, 'S', "P.", 1, cReq + 1, ok, nil},
		line{1.001, 'C', ".", cReq + 1, sOK, "", nil},
		line{1.002, 'S', "F.", sOK, cReq + 1, "", nil},
		line{1.003, 'C', ".", cReq + 1, sOK + 1, "", nil},
	), CauseClosed, Client, None, DuringAwaiting, AnswerWhole, nil, 0},
	{"aborted, the FIN came late", exchanged(
		line{3, 'S', "R.", sOK, cReq, "", nil},
		line{3.0001, 'C', "F.", cReq, sOK, "", nil},
	), CauseAborted, None, Server, DuringIdle, AnswerWhole, []ResetKind{Abort}, 0},
	{"abandoned by RST", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'S', "P.", 1, cReq, longAns, nil},
		line{0.3, 'C', "R.", cReq, 1 + uint32(len(longAns)), "", nil},
	), CauseAbandoned, None, Client, DuringResponse, AnswerPartial, []ResetKind{Abort}, 0},
	{"abandoned, as the server's side sees it", opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.002, 'S', "P.", 1, cReq, ok[:60], nil},
		line{0.006, 'C', ".", cReq, 61, "", nil},
		line{0.0061, 'S', "P.", 61, cReq, ok[60:], nil},
		line{0.0062, 'C', "F.", cReq, 61, "", nil},
		line{0.0063, 'S', "F.", sOK, cReq + 1, "", nil},
		line{0.010, 'C', "R", cReq, 0, "", nil},
		line{0.0101, 'C', "R", cReq + 1, 0, "", nil},
	), CauseAbandoned, Client, Client, DuringResponse, AnswerWhole, []ResetKind{ToDataAfterClose, AfterClose}, 0},
	{"keepalive-timeout", exchanged(
		line{60, 'S', ".", sOK - 1, cReq, "", nil},
		line{61, 'S', ".", sOK - 1, cReq, "", nil},
		line{62, 'S', "R.", sOK, cReq, "", nil},
	), CauseKeepaliveTimeout, None, Server, DuringIdle, AnswerWhole, []ResetKind{ProbeTimeout}, 0},
	{"probes that are answered", exchanged(
		line{60, 'S', ".", sOK - 1, cReq, "", nil},
		line{60.1, 'C', ".", cReq, sOK, "", nil},
		line{61, 'S', "R.", sOK, cReq, "", nil},
	), CauseAborted, None, Server, DuringIdle, AnswerWhole, []ResetKind{Abort}, 9},
	{"accept-overflow with tcp_abort_on_overflow", opened(
		line{0.0003, 'S', "R", 1, 0, "", nil},
	), CauseAcceptOverflow, None, Server, DuringHandshake, AnswerNone, []ResetKind{NoConnection}, 0},
	{"accept-overflow, RST to the repeated request", opened(
		line{0.0003, 'C', "P.", 1, 1, get, nil},
		line{0.2, 'C', "P.", 1, 1, get, nil},
		line{0.2001, 'S', "R", 1, 0, "", nil},
	), CauseAcceptOverflow, None, Server, DuringHandshake, AnswerNone, []ResetKind{NoConnection}, 0},
	{"accept-overflow without", opened(
		line{0.0003, 'C', "P.", 1, 1, get, nil},
		line{0.2, 'C', "P.", 1, 1, get, nil},
		line{0.4, 'C', "P.", 1, 1, get, nil},
		line{1.0, 'S', "S.", 0, 1, "", nil},
		line{1.0001, 'C', ".", cReq, 1, "", nil},
		line{3.0, 'C', "F.", cReq, 1, "", nil},
	), CauseAcceptOverflow, Client, None, DuringHandshake, AnswerNone, nil, 0},
	{"unreachable", []line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.001, 'C', "S", 0, 0, "", func(w *wire) { w.icmp = &ICMP{From: serverAddr.Addr(), Type: 3, Code: 3} }},
	}, CauseUnreachable, None, None, DuringHandshake, AnswerNone, nil, 0},
	{"rejected: lives on", exchanged(
		line{1, 'S', "R.", sOK, cReq, "", nil},
		line{2, 'S', "F.", sOK, cReq, "", nil},
		line{2.001, 'C', "R", cReq, 0, "", nil},
	), CauseRejected, Server, ThirdParty, DuringIdle, AnswerWhole, []ResetKind{Forged, AfterClose}, 0},
	{"rejected: another way", exchanged(
		line{1, 'S', "R.", sOK, cReq, "", func(w *wire) { w.ttl = 61 }},
	), CauseRejected, None, ThirdParty, DuringIdle, AnswerWhole, []ResetKind{Forged}, 0},
}

func TestCauses(t *testing.T) {
	for _, tt := range scripts {
		t.Run(tt.name, func(t *testing.T) {
			cs := explain(t, tt.script)
			if len(cs) != 1 {
				t.Fatalf("%d conversations", len(cs))
			}
			c := cs[0]
			t.Log(c.Text)
			if c.Client != clientAddr {
				t.Errorf("client %v", c.Client)
			}
			if c.Cause != tt.cause {
				t.Errorf("cause %s, want %s", c.Cause, tt.cause)
			}
			if c.ClosedBy != tt.closed || c.ResetBy != tt.reset {
				t.Errorf("closed by %s, reset by %s; want %s, %s", c.ClosedBy, c.ResetBy, tt.closed, tt.reset)
			}
			if c.During != tt.during || c.Answer != tt.answer {
				t.Errorf("during %v, answer %v; want %v, %v", c.During, c.Answer, tt.during, tt.answer)
			}
			var kinds []string
			for _, r := range c.Resets {
				kinds = append(kinds, string(r.Kind))
			}
			var want []string
			for _, k := range tt.kinds {
				want = append(want, string(k))
			}
			if strings.Join(kinds, " ") != strings.Join(want, " ") {
				t.Errorf("resets %v, want %v", kinds, want)
			}
		})
	}
}
