// Package tcp turns captures into verdicts: packets into segments, segments
// into conversations, and each conversation into how it ended, with the frames
// that prove it. It is pure: an io.Reader in, values out; no Docker, no files.
//
//	source.go    a stream read through one buffer
//	capture.go   pcap, and records of either, in place and as they come (ReadPackets)
//	pcapng.go    the blocks of pcapng
//	frame.go     Ethernet, VLAN, cooked, raw, IPv4, IPv6, TCP, ICMP errors (Read)
//	rare.go      tunnels, extension headers, fragments, other links: gopacket
//	pipeline.go  decoding beside deciding, on two cores
//	table.go     which flow a segment belongs to, and which flows were
//	flow.go      the state machine: one flow while its segments come in
//	late.go      data after the other side's FIN
//	copies.go    a segment that the capture shows more than once
//	reset.go     an RST, and what it answers
//	message.go   what the head of an HTTP/1 message says about its framing
//	exchange.go  where in its requests and responses a flow is
//	stream.go    the bytes of a side in order, and what is missing of them
//	http.go      where HTTP/1 messages begin and end
//	http2.go     the frames of HTTP/2 in the clear, and their fields
//	streams.go   its streams, gRPC's among them: what was open at the end
//	framed.go    the frames and records of a segment, by name
//	records.go   what the record layer of TLS tells of its turns
//	turn.go      whether a client's turn in TLS was a request
//	tls.go       good-byes and answers owed, by the size of TLS records
//	story.go     a flow that is over, told from the client's side
//	cause.go     the registry of causes, decided in its order once a flow is over
//	handshake.go what ends a connection before it is one
//	closing.go   a FIN came first
//	stale.go     the same, and the other side sent on
//	abort.go     an RST came first
//	silence.go   nothing came any more
//	text.go      who, when and how long, in words
//	doubt.go     what is missing for a cause
//	explain.go   Explain: all of it, one Conversation at a time
//	vantage.go   where on the path the capture was taken
//	evidence.go  kernel reasons, counters, logs and ss beside the capture
//	log.go       nginx's logs, and which connections their lines speak of
//	clue.go      what such evidence may mean without a capture
//	group.go     the same story many times is one paragraph
//	idle.go      idle timeouts from gaps alone
//	rewrite.go   comments for Wireshark
//	redact.go    captures fit to be shared
//	forge.go     the RST that a peer must take for real
//	merge.go     several captures of one path, clocks fitted
//	writer.go    one pcapng with named interfaces and hosts
//
// # The state machine, on one page
//
// A capture shows what passed a tap, not what arrived. So a flow is not a copy
// of the two ends' states (RFC 9293 3.3.2) but a record of what each has put on
// the wire, in 64-bit offsets from its first sequence number:
//
//	nxt   one past the highest byte seen (SND.NXT); SYN and FIN count one each
//	ack   the highest acknowledgment it sent: what certainly arrived at it
//	fin   its FIN, how often it was sent, and what that FIN acknowledged
//	turn  the first data since the other side's last, and what it acknowledged
//
// Every segment is one of: SYN, data, a repetition (nothing beyond nxt: one more
// unanswered, until the peer is heard), a keep-alive probe (at nxt-1, RFC 9293
// 3.8.4), FIN, a bare ACK, RST. A frame that shows a segment again, by another
// tap or by a mirror port, is told by its identity and passed over.
//
// Four things end a flow, and the first to come rules:
//
//	an RST to the handshake, or ICMP         3.10.7.1, 3.5.2; RFC 1122 4.2.3.9
//	a FIN: the closer is in FIN_WAIT1, and   3.6, 3.10.4
//	  in FIN_WAIT2 once it is acknowledged
//	an RST without a FIN before              3.5.3, 3.10.5
//	silence: repetitions without an answer   3.8.3
//
// After the closer's FIN its process is gone, its kernel is not: data that comes
// now is answered with RST (3.10.7.4; Linux: tcp_rcv_state_process for an
// orphan, tcp_timewait_state_process for FIN_WAIT2). What that data acknowledges
// tells how it came to be sent: the FIN (stale-idle: it had arrived), or not,
// and then whether the FIN had been sent more than once (stale-fin-lost) or once
// and within its first time-out (stale-crossing). In FIN_WAIT2 Linux keeps no
// more than a time-wait socket, after 60 s nothing; the answer is the same bare
// RST, so the text says "kernel" and not which. Who lingers (a process
// that reads on to throw away, as Apache does) acknowledges the data instead: no
// answer can come behind a FIN, so that is stale-idle too.
//
// An RST says by its shape what it answers (3.10.7.1: a segment with ACK is
// answered by a bare RST whose sequence is that ACK): see ResetKind. One with
// ACK, out of turn, is an abort.
//
// HTTP/1 says whether a message was open when the first end came: that parts
// closed from truncated, no-response, early-close and abandoned. Bodies are
// counted, not read. Where the capture lacks the bytes that frame a message, the
// verdict is unexplained. HTTP/2 in the clear is followed from its preface on: its
// streams say what was open, the furthest of them counts, and one that a side resets
// right before it ends the connection was open until then. Nothing is guessed for
// protocols that are not read, but that a TLS alert is no request, and that a server
// that closes TLS without close_notify may have cut its answer off. In TLS an answer
// is what the server sent behind all that the client had said, in a record
// with room for it, and that is no session ticket: those come unasked, one as long as
// the other, before anything else. Where by this an answer may have been owed no cause
// is given, nor stale-idle but behind an answer and a rest. That the answer was whole
// no record shows: an end in TLS within a second of rest, over what may have stalled, is
// unexplained; one at once or after long is closed, which is TCP's order, and its Doubt
// says so. What comes to a client that has left was owed when it had asked once and been
// told nothing, and is no loss when it had asked nothing.
// FIN alone does not tell who left from who only shut its writing side (RFC 9293
// 3.6), but that the latter does it at once.
//
// # Where it was captured
//
// What leaves a host beside the tap is sent, not delivered: only an
// acknowledgment proves that a FIN arrived, at any tap. What comes for it got as
// far as its tap. Conversation.Tap says beside which end a connection was
// captured, by its own TTLs and its own handshake; where these contradict each
// other it says nothing. A verdict uses it for words ("there, on whose side the tap
// was", instead of "there, or at a box between"), and to refuse: a FIN that was
// at the client's tap long before the request does not cross it.
// Summary.SeenFrom is the majority of all connections, with the reasons.
//
// # Missing frames
//
// What the capture lacks shows in the numbers: a segment beyond nxt, an
// acknowledgment beyond nxt. One more than all bytes is a FIN (basis inferred),
// anything else makes what depends on it unexplained. What has no number shows
// elsewhere: probes and repeated FINs in the IP IDs, which Linux counts by
// connection, in acknowledgments that nothing asked for, and in timestamps; a
// lost RST in that who repeats stops, and an answer in that what it answers was
// neither acknowledged nor sent again. So with frames missing a verdict gets weaker
// (Cause.Weaker) and does not become another. Frames around the end that the file
// has in another order than that of their times tell nothing. The tests drop every
// frame, every two and every three of every script and exchange its neighbours;
// they drop of a real kernel's one in twenty, one in five and every other, thousands
// of times; and they damage every capture of the catalogue.
//
// # A new cause
//
// One constant, one entry in Causes at its place in the order of decision, one
// function that finds the evidence and puts it in words, and one script in
// cause_test.go with the neighbours that look like it.
//
// # Bounds
//
// A flow takes less than 400 bytes while it is open: 391 each with ten million
// open at once, 3.9 GB (measured; Go 1.26, amd64); one in HTTP/2 takes what its open
// streams and its tables of fields do, a million streams and 4,096 tables over all flows. Payload is held back only for
// lack of an earlier byte, 64 MB over all flows. At Options.MaxFlows the flow that
// has been idle for longest (of the next 64) is decided early and says so. A flow
// that ended is delivered after 5 s of the capture's time, stragglers of the next
// two minutes are known by a table of fixed size: an endless stream runs in
// constant memory.
//
// # Alternatives considered
//
// gopacket's pcapgo for the containers: its tables of interfaces and names grow
// without bound, a lying block length makes it skip to the end of the stream,
// and it does not say where it stopped; it is what the tests compare with. A
// copy of both ends' RFC 9293 states: needs to know what arrived, which a tap
// does not. A writer of its own package: it shares the reader's constants.
package tcp
