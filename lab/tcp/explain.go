package tcp

import (
	"io"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Side is one end of a conversation. The client is the end that sent the first
// SYN, or what looks like it where the capture begins later.
type Side string

const (
	Client     Side = "client"
	Server     Side = "server"
	Both       Side = "both"
	ThirdParty Side = "third-party"
	None       Side = "none"
)

// ResetKind says what an RST was the answer to.
type ResetKind string

const (
	ToSYN            ResetKind = "to-syn"              // a SYN that nobody listens for
	ToDataAfterClose ResetKind = "to-data-after-close" // data for a side that had closed
	NoConnection     ResetKind = "no-connection"       // a segment of a connection that its sender does not know
	Abort            ResetKind = "abort"               // nothing: its sender threw the connection away
	ProbeTimeout     ResetKind = "probe-timeout"       // keep-alive probes that stayed without answer
	Forged           ResetKind = "forged"              // not sent by the side whose address it carries
	AfterClose       ResetKind = "after-close"         // a straggler of a connection that was over
)

// Reset is one RST of a conversation.
type Reset struct {
	Frame int       `json:"frame"`
	From  Side      `json:"from"`
	Kind  ResetKind `json:"kind"`

	over bool // a straggler's, of a connection that both sides had closed: it ended nothing
}

// Basis says what a verdict rests on.
type Basis string

const (
	Wire     Basis = "wire"     // segments of the capture
	Kernel   Basis = "kernel"   // the kernel's own word: a tracepoint or a counter
	Inferred Basis = "inferred" // segments that the capture lacks, but others imply; or which end is the client
)

// Conversation is one connection and how it ended.
type Conversation struct {
	Client     netip.AddrPort `json:"client"`
	Server     netip.AddrPort `json:"server"`
	ClientName string         `json:"client_name,omitempty"` // host name, when known
	ServerName string         `json:"server_name,omitempty"`

	Cause     Cause  `json:"cause"`
	ClosedBy  Side   `json:"closed_by"`
	ResetBy   Side   `json:"reset_by"`
	During    During `json:"during"`
	Answer    Answer `json:"answer"` // to the last request; none, too, where messages are not read
	Requests  int    `json:"requests"`
	Responses int    `json:"responses"`
	Frames    []int  `json:"frames"` // numbers of the frames that prove the cause
	Basis     Basis  `json:"basis"`
	Text      string `json:"text"`
	Doubt     string `json:"doubt,omitempty"` // of unexplained: what is missing for a cause; of closed and discarded: what is not to be seen
	Advice    string `json:"advice,omitempty"`

	Resets       []Reset   `json:"resets"`
	LateReset    bool      `json:"late_reset,omitempty"`    // RSTs came after both sides had closed
	CaptureEnded bool      `json:"capture_ended,omitempty"` // only the end of the capture makes it so
	DecidedEarly bool      `json:"decided_early,omitempty"` // at the limit of Options.MaxFlows, while still open
	Protocol     string    `json:"protocol,omitempty"`      // http/1, http/2, tls, tunnel
	Request      string    `json:"request,omitempty"`       // method and target of the last request
	Status       int       `json:"status,omitempty"`        // of the last response
	KeepAlive    int       `json:"keep_alive,omitempty"`    // seconds that the server promised (Keep-Alive: timeout=)
	SaidClose    Side      `json:"said_close,omitempty"`    // side whose last message said that it does not keep the connection (Connection: close)
	Start        time.Time `json:"start"`
	End          time.Time `json:"end"`                    // of the last segment, RSTs included
	Idle         float64   `json:"idle,omitempty"`         // seconds without data before the first FIN or RST
	Reuse        float64   `json:"reuse,omitempty"`        // seconds from the FIN to the data that was sent after it
	LongestRest  float64   `json:"longest_rest,omitempty"` // seconds: the longest after which the client used the connection again in time
	Tap          Side      `json:"tap,omitempty"`          // side that the capture was taken at, where its TTLs or its handshake tell

	Alert   string `json:"alert,omitempty"`    // the fatal TLS alert that was sent in the open: "handshake failure"; or the reason of a GOAWAY: "GOAWAY ENHANCE_YOUR_CALM"
	AlertBy Side   `json:"alert_by,omitempty"` // who sent it

	Reason        string `json:"reason,omitempty"`        // of the RST that ended it, by the kernel that sent it
	Log           string `json:"log,omitempty"`           // what nginx's error log says of it
	Contradiction string `json:"contradiction,omitempty"` // other evidence that does not go with the cause

	Segments []Frame `json:"-"` // all of them, with Options.Keep
}

// Options change how Explain reads.
type Options struct {
	Names    map[netip.Addr]string // host names for the text; they override those in the file
	Keep     bool                  // keep every conversation's frames in Segments
	Live     bool                  // the capture is being made: what ended is over once its time has passed, packets or not
	MaxFlows int                   // beyond so many live flows the ones idle for longest are decided early; 0 means 4 million
}

const (
	defaultMaxFlows = 4 << 20
	maxHeldBytes    = 64 << 20 // payload kept for lack of an earlier byte, over all flows
	maxInterned     = 1 << 16  // different request lines remembered

	maxSpare = 1 << 10

	// linger is how long stragglers are waited for after a connection's end.
	linger = int64(5 * time.Second)
)

// Explain reads a capture and calls each with every connection as it ends, and
// with those still open at the end of the capture. An error means that nothing
// could be read; whatever else ended the reading is in Summary.Stopped.
func Explain(r io.Reader, o Options, each func(Conversation)) (Summary, error) {
	var sum Summary
	x := newExplainer(o, &sum, each)
	var quiet func()
	if o.Live {
		quiet = func() { x.sweep(x.now + linger + 1) }
	}
	err := pipeline(r, &sum, x.seed, func(b *batch) {
		for _, n := range b.names {
			x.names[n.addr] = n.name
		}
		segs := b.segs
		for i := range segs {
			x.take(&segs[i])
		}
	}, quiet)
	x.finish()
	return sum, err
}

// explainer holds the live flows.
type explainer struct {
	o        Options
	sum      *Summary
	each     func(Conversation)
	table    table
	past     past
	seed     uint64   // of the flows' hash
	seg      *segment // the one being taken
	at       mark     // in its flow, where that may be in HTTP/2
	now      int64    // latest time seen
	held     int      // bytes of held payload
	streams  int      // of HTTP/2 that are open, of all live flows
	decoders int      // of their fields
	done     int      // conversations handed out

	lines   map[uint64]uint32 // request lines by message.name
	lineOf  []string
	last    uint32                // the line found last
	lastID  uint64                // and its name
	waiting []waiting             // ended flows in order of their end
	next    int                   // the first of them that is not delivered
	names   map[netip.Addr]string // from the file, so far
	story   story                 // of the flow being concluded
	words   words                 // its text in the making
	spare   []*trouble            // of flows that are over
	vantage vantage
}

// waiting is an ended flow whose stragglers are waited for.
type waiting struct {
	flow  uint32
	first int // the flow's first frame, for the slot may be another's by now
	ended int64
}

func newExplainer(o Options, sum *Summary, each func(Conversation)) *explainer {
	if o.MaxFlows <= 0 {
		o.MaxFlows = defaultMaxFlows
	}
	return &explainer{o: o, seed: rand.Uint64(), table: table{heads: make([]uint32, 1024)}, sum: sum, each: each, lines: map[uint64]uint32{}, lineOf: []string{""}, names: map[netip.Addr]string{}}
}

// name gives a host's name: the caller's, then the file's.
func (x *explainer) name(a netip.Addr) string {
	if n, ok := x.o.Names[a]; ok {
		return clean(n)
	}
	return clean(x.names[a])
}

// intern gives the number of the request line that begins b; 0 when there are
// too many. It looks at a line only once: b is in another core's cache.
func (x *explainer) intern(m *message, b []byte) uint32 {
	if m.name == x.lastID {
		return x.last
	}
	i, ok := x.lines[m.name]
	if !ok {
		if len(x.lineOf) >= maxInterned {
			return 0
		}
		i = uint32(len(x.lineOf))
		x.lines[m.name] = i
		x.lineOf = append(x.lineOf, clean(string(requestLine(b[:m.line]))))
	}
	x.last, x.lastID = i, m.name
	return i
}

// prepare finds out about a segment what can be known without its flow.
func (s *segment) prepare(seed uint64) {
	s.hash, s.dir = hash(seed, &s.src, &s.dst), uint8(btoi(s.dst.less(&s.src)))
	s.id = s.identity()
	s.looks = looksOther
	if len(s.payload) > 0 {
		if s.looks = sniff(s.payload); s.looks == looksRequest || s.looks == looksResponse {
			s.msg.read(s.payload)
		}
	}
}

// take hands one prepared segment to its flow.
func (x *explainer) take(s *segment) {
	x.now = max(x.now, s.time)
	x.sweep(x.now)
	x.seg = s
	h, d := s.hash, int(s.dir)
	f := x.table.find(s)
	if f != nil && (f.ended() != 0 && s.time-f.ended() > linger || f.reused(s, d)) {
		x.deliver(f, h)
		f = nil
	}
	if f == nil {
		if s.icmp != nil || x.past.straggler(h, s) {
			return
		}
		if x.table.len() >= x.o.MaxFlows {
			x.evict()
		}
		f = x.table.insert(x.seed, h)
		f.init(s, d)
	}
	ended := f.ended()
	f.add(x, s, d)
	if x.o.Keep {
		fr := s.frame()
		fr.Payload = slices.Clone(fr.Payload)
		t := f.trouble(x)
		t.keep = append(t.keep, fr)
	}
	if ended == 0 && f.ended() != 0 {
		x.waiting = append(x.waiting, waiting{x.table.index(f), f.first, f.ended()})
	}
}

// reused says whether a segment begins another connection on the same ports: a
// SYN with another initial sequence number (RFC 9293 3.6.1).
func (f *flow) reused(s *segment, d int) bool {
	if s.flags&SYN == 0 || s.flags&RST != 0 || s.icmp != nil {
		return false
	}
	me := &f.side[d]
	if s.flags&ACK != 0 { // the SYN before it may be missing
		return f.ended() != 0 && me.has(sideSeen) && s.seq != me.base && (me.has(sideSYNACK) || int32(s.seq-me.base) != -1)
	}
	if me.has(sideSYN) {
		return s.seq != me.base
	}
	// A SYN after data, or after an RST, is another connection; before anything else
	// of its side it is only late.
	return me.has(sideSeen) && int32(s.seq-me.base) != -1 || f.resetBy(d)
}

// sweep delivers what ended long enough before now.
func (x *explainer) sweep(now int64) {
	for ; x.next < len(x.waiting); x.next++ {
		w := &x.waiting[x.next]
		if now-w.ended <= linger {
			break
		}
		if f := x.table.at(w.flow); f != nil && f.first == w.first && f.ended() == w.ended {
			x.deliver(f, hash(x.seed, &f.end[0], &f.end[1]))
		}
	}
	if x.next > 1024 && x.next > len(x.waiting)/2 {
		x.waiting = x.waiting[:copy(x.waiting, x.waiting[x.next:])]
		x.next = 0
	}
}

// evict decides the flow that has been idle for longest, or nearly so.
func (x *explainer) evict() {
	f := x.table.oldest()
	x.conclude(f, false, true)
	x.table.remove(f, hash(x.seed, &f.end[0], &f.end[1]))
}

// deliver concludes a flow that has ended and forgets it.
func (x *explainer) deliver(f *flow, h uint64) {
	x.conclude(f, false, false)
	x.past.remember(h, f)
	x.table.remove(f, h)
}

// finish concludes whatever is left when the capture ends.
func (x *explainer) finish() {
	var rest []*flow
	x.table.each(func(f *flow) { rest = append(rest, f) })
	slices.SortFunc(rest, func(a, b *flow) int { return a.first - b.first })
	for _, f := range rest {
		x.conclude(f, true, false)
	}
	x.sum.Conversations = x.done
	x.sum.SeenFrom = x.vantage.from(func(h host) string {
		a := endpoint{hi: h.hi, lo: h.lo}.addrPort().Addr()
		if n := x.name(a); n != "" {
			return n
		}
		return a.String()
	})
	names := maps.Clone(x.sum.Names)
	if names == nil {
		names = map[netip.Addr]string{}
	}
	maps.Copy(names, x.o.Names)
	x.sum.Names = names
}

// conclude decides a flow and hands it out. atEnd says that the capture ended,
// early that the limit of flows was reached.
func (x *explainer) conclude(f *flow, atEnd, early bool) {
	x.at = later(f.side[0].last, f.side[1].last)
	for d := range f.side {
		if f.more != nil && len(f.more.holds) > 0 {
			f.skip(x, d)
		}
		f.missingTail(x, d)
	}
	x.story.read(x, f, atEnd, early)
	c := x.story.conversation()
	if f.more != nil {
		if f.more.http2 != nil {
			f.more.http2.forget(x)
		}
		c.Segments = f.more.keep
		for d := range f.side {
			x.held -= len(f.more.carry[d])
		}
		for _, h := range f.more.holds {
			x.held -= len(h.data)
		}
	}
	x.done++
	x.vantage.vote(&x.story)
	x.each(c)
	if t := f.more; t != nil && len(x.spare) < maxSpare {
		*t = trouble{talker: -1, resets: t.resets[:0]}
		x.spare, f.more = append(x.spare, t), nil
	}
}
