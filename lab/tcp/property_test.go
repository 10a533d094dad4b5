package tcp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestMissingFrames drops each frame, each pair and each three of each script: the
// verdict is the declared one or weaker, never another. Where a script has a
// frail frame, what is left without it is, segment by segment, another story
// that happens as well, and nothing in the capture tells them apart:
//
//   - A request that does not acknowledge the server's FIN, answered with a bare
//     RST, is, without the FIN, one whose connection is forgotten; the RST has
//     the sequence number that the request acknowledges, in both.
//   - A keep-alive probe whose answer is missing is an unanswered one, when no
//     timestamps say that the prober heard it.
//   - Pipelined requests that are missing nobody knows to be unanswered.
//   - A bare RST right behind the handshake is a full queue's, when the data that
//     it answers is missing.
//
// For the same reason no number of missing frames is harmless: without its
// data a truncated response is an orderly close.
func TestMissingFrames(t *testing.T) {
	kept, all := 0, 0
	for _, tt := range scripts {
		ps := build(tt.script)
		var drop func(from int, without ...int)
		drop = func(from int, without ...int) {
			for i := from; i < len(ps) && len(without) < min(3, len(ps)-1); i++ {
				drop(i+1, append(slices.Clone(without), i+1)...)
			}
			if without == nil {
				return
			}
			var rest []Packet
			for i, p := range ps {
				if !slices.Contains(without, i+1) {
					rest = append(rest, p)
				}
			}
			cs, _ := explainBytes(t, pcapng(t, rest, nil), Options{})
			if len(cs) == 0 && tt.cause == CauseUnreachable {
				return
			}
			if len(cs) != 1 {
				t.Fatalf("%s without %d: %d conversations", tt.name, without, len(cs))
			}
			if len(without) == 1 {
				all++
				if cs[0].Cause == tt.cause {
					kept++
				}
			}
			if !slices.Contains(without, tt.frail) && !cs[0].Cause.Weaker(tt.cause) {
				t.Errorf("%s (%s) without frames %d: %s: %s", tt.name, tt.cause, without, cs[0].Cause, cs[0].Text)
			}
		}
		drop(0)
	}
	t.Logf("%d of %d keep their cause with one frame missing", kept, all)
}

// TestSwappedRecords exchanges neighbouring records of the file, each with its own
// time: what was captured on several queues may be written so. Nothing else is told
// of it than of the file in order, or nothing.
func TestSwappedRecords(t *testing.T) {
	for _, tt := range scripts {
		ps := build(tt.script)
		for i := 1; i < len(ps); i++ {
			if !ps[i].Time.After(ps[i-1].Time) {
				continue
			}
			swapped := slices.Clone(ps)
			swapped[i-1], swapped[i] = ps[i], ps[i-1]
			cs, _ := explainBytes(t, pcapng(t, swapped, nil), Options{})
			if len(cs) != 1 {
				t.Errorf("%s with frames %d and %d exchanged: %d conversations", tt.name, i, i+1, len(cs))
			} else if c := cs[0]; !c.Cause.Weaker(tt.cause) || strings.Contains(c.Text, "went back") {
				t.Errorf("%s (%s) with frames %d and %d exchanged: %s: %s", tt.name, tt.cause, i, i+1, c.Cause, c.Text)
			}
		}
	}
}

// TestSnapLength cuts the payload off: the same, or weaker.
func TestSnapLength(t *testing.T) {
	for _, snap := range []int{54, 60, 84, 96} {
		kept := 0
		for _, tt := range scripts {
			cs, _ := explainBytes(t, pcapng(t, cutTo(snap, build(tt.script)), nil), Options{})
			if cs[0].Cause == tt.cause {
				kept++
			} else if !cs[0].Cause.Weaker(tt.cause) {
				t.Errorf("%s (%s) cut to %d: %s: %s", tt.name, tt.cause, snap, cs[0].Cause, cs[0].Text)
			}
		}
		t.Logf("%d of %d keep their cause when cut to %d bytes", kept, len(scripts), snap)
	}
}

// TestPipelinedCut: whether a request that is cut off was several nobody can tell.
func TestPipelinedCut(t *testing.T) {
	asked, fin := 1+3*uint32(len(get)), 2*sOK-1
	ps := build(opened(
		line{0.001, 'C', "P.", 1, 1, get + get + get, nil},
		line{0.002, 'S', "P.", 1, asked, ok, nil},
		line{0.150, 'S', "P.", sOK, asked, ok, nil},
		line{0.160, 'C', "F.", asked, fin, "", nil},
		line{0.161, 'S', "F.", fin, asked + 1, "", nil},
	))
	for snap, want := range map[int]Cause{
		1514:                  CauseAbandoned,
		54 + len("HTTP/1.1 "): CauseUnexplained, // the answers' beginnings
		54 + len(ok):          CauseUnexplained, // the answers whole
	} {
		cs, _ := explainBytes(t, pcapng(t, cutTo(snap, ps), nil), Options{})
		if cs[0].Cause != want {
			t.Errorf("cut to %d: %s, want %s: %s", snap, cs[0].Cause, want, cs[0].Text)
		}
	}
}

// kernel holds connections of a real kernel in a namespace, one cause a server
// port, seen by the client's tap; from 9100 on real HTTP clients (Python, Node,
// Java, Go) that rest longer than the server's keep-alive.
const kernel = "testdata/kernel.pcap.gz"

// kernelCauses gives the cause by server port.
var kernelCauses = map[uint16][]Cause{
	9001: {CauseClosed}, 9002: {CauseClosed}, 9003: {CauseStaleIdle}, 9004: {CauseStaleIdle}, 9005: {CauseDiscarded},
	9006: {CauseAborted}, 9007: {CauseAborted}, 9008: {CauseTruncated}, 9009: {CauseTruncated}, 9010: {CauseNoResponse},
	9011: {CauseEarlyClose}, 9012: {CauseAbandoned}, 9013: {CauseAbandoned}, 9014: {CauseRefused}, 9015: {CauseUnanswered},
	9016: {CauseRefused}, 9017: {CauseUnreachable}, 9018: {CauseUnanswered, CauseAbandoned}, 9019: {CauseKeepaliveTimeout},
	9020: {CauseVanished}, 9021: {CauseFlowForgotten}, 9022: {CauseStaleFinLost}, 9023: {CauseStaleCrossing},
	9024: {CauseClosed}, 9025: {CauseClosed, CauseUnexplained}, 9026: {CauseAborted}, 9027: {CauseDiscarded}, 9028: {CauseAborted},
	9029: {CauseAborted}, 9030: {CauseAborted}, 9031: {CauseClosed}, 9032: {CauseClosed}, 9033: {CauseStaleIdle, CauseUnexplained},
	9034: {CauseTruncated}, 9035: {CauseAbandoned}, 9036: {CauseAborted}, 9037: {CauseAbandoned}, 9038: {CauseDiscarded},
	9039: {CauseClosed}, 9040: {CauseClosed, CauseUnexplained}, 9041: {CauseClosed, CauseUnexplained}, // TLS
	9100: {CauseStaleIdle}, 9101: {CauseStaleIdle}, 9102: {CauseClosed}, 9103: {CauseClosed}, 9104: {CauseStaleIdle},
	9105: {CauseClosed}, 9106: {CauseStaleIdle, CauseClosed}, 9107: {CauseStaleIdle, CauseClosed}, 9108: {CauseClosed},
	9109: {CauseClosed}, 9110: {CauseClosed},
}

func readPackets(t testing.TB, name string) []Packet {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var ps []Packet
	_, err = ReadPackets(file, func(p Packet) error {
		p.Data = bytes.Clone(p.Data)
		ps = append(ps, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestKernel(t *testing.T) {
	cs, sum := explainBytes(t, pcapng(t, readPackets(t, kernel), nil), Options{})
	if sum.Stopped != "" {
		t.Error(sum.Stopped)
	}
	packed, err := os.ReadFile(kernel)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := explainBytes(t, packed, Options{}); !reflect.DeepEqual(again, cs) {
		t.Error("gzip makes a difference")
	}
	seen := map[uint16]bool{}
	for _, c := range cs {
		seen[c.Server.Port()] = true
		if !slices.Contains(kernelCauses[c.Server.Port()], c.Cause) {
			t.Errorf("%v: %s, want %v: %s", c.Server, c.Cause, kernelCauses[c.Server.Port()], c.Text)
		}
	}
	for port := range kernelCauses {
		if !seen[port] {
			t.Errorf("no connection to port %d", port)
		}
	}
}

// TestKernelDegraded cuts frames.
func TestKernelDegraded(t *testing.T) {
	ps := readPackets(t, kernel)
	full := map[string]Cause{}
	cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{})
	for _, c := range cs {
		full[c.Client.String()+c.Server.String()] = c.Cause
	}
	check := func(what string, ps []Packet) {
		kept, all := 0, 0
		cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{})
		for _, c := range cs {
			was, ok := full[c.Client.String()+c.Server.String()]
			if !ok {
				was = full[c.Server.String()+c.Client.String()] // turned round by a guess
			}
			all++
			if c.Cause == was {
				kept++
			} else if !c.Cause.Weaker(was) {
				t.Errorf("%s: %v (%s): %s: %s", what, c.Server, was, c.Cause, c.Text)
			}
		}
		t.Logf("%s: %d of %d keep their cause", what, kept, all)
	}
	for _, snap := range []int{54, 68, 96, 128} {
		check(fmt.Sprint("snap ", snap), cutTo(snap, ps))
	}
}

// slow is set by the race detector's build.
var slow bool

// TestKernelLossy drops frames at random, many times: one in twenty, as busy
// captures lose, and far more, one by one and in runs. No verdict is wrong.
func TestKernelLossy(t *testing.T) {
	ps := readPackets(t, kernel)
	var records [][]byte
	head := pcapFile(nil, binary.LittleEndian, magicNanos, linkEthernet)
	for _, p := range ps {
		records = append(records, pcapFile([]Packet{p}, binary.LittleEndian, magicNanos, linkEthernet)[len(head):])
	}
	lossy := func(seed uint64, one, run int) []byte {
		r := rand.New(rand.NewPCG(seed, 0))
		b, drop := slices.Clone(head), 0
		for _, p := range records {
			if drop == 0 && one > 0 && r.IntN(one*run) == 0 {
				drop = 1 + r.IntN(2*run-1)
			}
			if drop > 0 {
				drop--
				continue
			}
			b = append(b, p...)
		}
		return b
	}
	full := map[[2]netip.AddrPort]Cause{}
	cs, _ := explainBytes(t, lossy(0, 0, 1), Options{})
	for _, c := range cs {
		was := c.Cause
		if truth := kernelCauses[c.Server.Port()]; was == CauseUnexplained {
			was = truth[0] // TLS: what is left of it may look like a protocol that is not read
		}
		full[[2]netip.AddrPort{c.Client, c.Server}] = was
		full[[2]netip.AddrPort{c.Server, c.Client}] = was // turned round by a guess
	}
	for _, loss := range []struct {
		one, run int // one frame in so many, on average so many in a row
		seeds    uint64
	}{{20, 1, 500}, {5, 1, 2000}, {2, 1, 300}, {5, 8, 500}} {
		if slow || testing.Short() {
			loss.seeds /= 20
		}
		kept, all := 0, 0
		for seed := range loss.seeds {
			cs, _ := explainBytes(t, lossy(seed, loss.one, loss.run), Options{})
			for _, c := range cs {
				was := full[[2]netip.AddrPort{c.Client, c.Server}]
				all++
				if c.Cause == was {
					kept++
				} else if !c.Cause.Weaker(was) {
					t.Errorf("1 in %d lost, %d in a row, seed %d: %v (%s): %s: %s", loss.one, loss.run, seed, c.Server, was, c.Cause, c.Text)
				}
			}
		}
		t.Logf("1 frame in %d lost, %d in a row: %.1f %% of %d keep their cause", loss.one, loss.run, 100*float64(kept)/float64(all), all)
	}
}

// told has real captures, of many clients and servers, that were once explained
// wrong, and what happened; lacks and begins say that the capture is not whole. To
// say that it is unexplained is always right.
var told = map[string][]Cause{
	"begins-mid-keepalive":                            {CauseKeepaliveTimeout},
	"connect-tls12-no-response":                       {CauseNoResponse},
	"curl-h1-timeout":                                 {CauseAbandoned},
	"curl-h1-tls13-midbody-killed":                    {CauseTruncated},
	"curl-h2c-get-timeout":                            {CauseAbandoned},
	"curl-h2c-server-killed":                          {CauseNoResponse},
	"curl-mtls-server-killed":                         {CauseNoResponse},
	"four-tickets-client-timeout":                     {CauseAbandoned},
	"four-tickets-no-response":                        {CauseNoResponse},
	"go-abort-midbody":                                {CauseTruncated},
	"go-h1-timeout":                                   {CauseAbandoned},
	"go-h2-tls12-get-timeout":                         {CauseAbandoned},
	"go-h2-tls13-pings":                               {CauseAbandoned},
	"h2-first-request-timeout-tls13":                  {CauseAbandoned},
	"h2-half-upload":                                  {CauseEarlyClose},
	"h2-midbody-client-goaway":                        {CauseTruncated},
	"h2-preconnect":                                   {CauseClosed},
	"h2-tls12-goaway-unanswered":                      {CauseNoResponse},
	"h2-tls12-midbody-client-goaway":                  {CauseTruncated},
	"h2-tls12-upload-window-update":                   {CauseAbandoned},
	"h2-tls13-goaway-unanswered":                      {CauseNoResponse},
	"h2-tls13-pings-while-waiting":                    {CauseAbandoned},
	"h2-tls13-upload-wu-ping":                         {CauseAbandoned},
	"h2c-client-timeout-50ms":                         {CauseAbandoned},
	"h2c-goaway-unanswered":                           {CauseNoResponse},
	"h2c-half-upload":                                 {CauseEarlyClose},
	"h2c-pings-while-waiting":                         {CauseAbandoned},
	"h2c-snap68-goaway":                               {CauseTruncated},
	"line-client-timeout-50ms":                        {CauseAbandoned},
	"mtls-big-tickets-client-timeout":                 {CauseAbandoned},
	"mtls-big-tickets-no-response":                    {CauseNoResponse},
	"mtls-handshake-only":                             {CauseClosed},
	"nginx-h2-timeout-120ms":                          {CauseAbandoned},
	"nginx-midbody-client-left":                       {CauseAbandoned},
	"no-serverhello":                                  {CauseAbandoned},
	"node-h2-midbody-killed":                          {CauseTruncated},
	"pg-terminate-while-waiting":                      {CauseAbandoned},
	"pg-terminate-while-waiting-discarded":            {CauseAbandoned},
	"smtp-data":                                       {CauseEarlyClose},
	"smtp-data-421":                                   {CauseEarlyClose},
	"tls-100-continue":                                {CauseEarlyClose},
	"tls-client-timeout-50ms":                         {CauseAbandoned},
	"tls-crossing":                                    {CauseStaleCrossing},
	"tls-early-413":                                   {CauseEarlyClose},
	"tls-killed-midbody-client-notify":                {CauseTruncated},
	"tls-server-notify-first-no-response":             {CauseNoResponse},
	"tls-two-byte-request":                            {CauseStaleIdle, CauseNoResponse},
	"tls-upload-tickets":                              {CauseEarlyClose},
	"tls12-client-notify-first":                       {CauseAbandoned},
	"tls12cbc-killed-idle":                            {CauseClosed},
	"tls12cbc-no-response":                            {CauseNoResponse},
	"connect-refused":                                 {CauseClosed},
	"connect-refused-cut-off":                         {CauseTruncated},
	"get-of-another-protocol":                         {CauseStaleIdle},
	"head-cut-to-96-bytes":                            {CauseClosed},
	"lacks-syn-of-a-port-used-again-behind-its-reset": {CauseAborted},
	"stale-lingering-apache":                          {CauseStaleIdle},
	"tls-cut-off-slowly":                              {CauseTruncated},
	"tls-timeout-behind-a-second-ticket":              {CauseAbandoned},
	"cancel-cut-to-96-bytes":                          {CauseAbandoned, CauseFlowForgotten},
	"early-413-without-its-reset":                     {CauseAborted},
	"fin-lost-and-cut-off":                            {CauseStaleFinLost, CauseHalfClosed},
	"reuse-behind-fin":                                {CauseClosed, CauseOpen},
	"reuse-behind-resets":                             {CauseAborted, CauseClosed},
	"reuse-without-syn":                               {CauseAborted, CauseClosed},
	"reuse-without-syn-ack":                           {CauseAborted, CauseClosed},
	"stall-and-cut-off":                               {CauseAbandoned, CauseHalfClosed},
	"tls-without-the-client-fin":                      {CauseTruncated},
	"tls12-no-response-cut-to-96":                     {CauseAbandoned},
	"unreachable-by-its-own-kernel":                   {CauseUnreachable},
	"begins-at-early-hints":                           {CauseNoResponse},
	"begins-at-tls-close":                             {CauseAbandoned},
	"forgotten-by-a-socket-with-a-ttl-of-its-own":     {CauseFlowForgotten},
	"forty-pipelined-heads":                           {CauseClosed},
	"forty-pipelined-heads-client-closes":             {CauseClosed},
	"h2-no-response":                                  {CauseNoResponse},
	"h2-timeout-curl":                                 {CauseAbandoned},
	"h2-timeout-first-request":                        {CauseAbandoned},
	"h2-timeout-httpx":                                {CauseAbandoned},
	"half-close-ipv6":                                 {CauseNoResponse},
	"half-close-nc":                                   {CauseNoResponse},
	"half-close-socat":                                {CauseNoResponse},
	"lacks-a-frame-of-the-upload":                     {CauseAbandoned},
	"lacks-body-behind-100":                           {CauseNoResponse},
	"lacks-last-command":                              {CauseUnexplained},
	"lacks-late-command":                              {CauseStaleIdle},
	"lacks-syn-of-a-port-used-again":                  {CauseAborted, CauseClosed},
	"lacks-the-client-fin":                            {CauseAbandoned},
	"lacks-tls-request-no-response":                   {CauseNoResponse},
	"lacks-tls-request-timeout":                       {CauseAbandoned},
	"no-response-behind-100":                          {CauseNoResponse},
	"reset-by-a-timer-behind-one-probe":               {CauseAborted},
	"reset-by-who-never-got-the-fin":                  {CauseAborted},
	"tls-no-response-behind-tickets":                  {CauseNoResponse},
	"tls-small-command-no-response":                   {CauseNoResponse},
	"tls-timeout-behind-tickets":                      {CauseAbandoned},
	"tls-timeout-goodbye-crosses-answer":              {CauseAbandoned},
	"until-close-timeout":                             {CauseAbandoned},
	"until-close-timeout-curl":                        {CauseAbandoned},
	"until-close-timeout-go":                          {CauseAbandoned},
	"until-close-timeout-node":                        {CauseAbandoned},
	"upload-broken-off-behind-413":                    {CauseAbandoned},
}

func TestOnceToldWrong(t *testing.T) {
	for name, truth := range told {
		capture, err := os.ReadFile("testdata/told/" + name + ".pcap.gz")
		if err != nil {
			t.Fatal(err)
		}
		cs, _ := explainBytes(t, capture, Options{})
		if len(cs) == 0 {
			t.Errorf("%s: no connection", name)
		}
		for _, c := range cs {
			if c.Cause != CauseUnexplained && !slices.Contains(truth, c.Cause) {
				t.Errorf("%s: %s, but %s: %s", name, c.Cause, truth, c.Text)
			}
		}
	}
}
