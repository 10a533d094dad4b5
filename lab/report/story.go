package report

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
	"rstlab/lab/verdict"
)

// Story tells one result whole: the ladder of its packets, why it came so, in
// the words of the client, of nginx and of the kernel, and what fixes it.
type Story struct {
	Scenario scenario.Scenario
	Fixes    []scenario.Scenario // of this failure
	Result   verdict.Result
	Rerun    string // the command that plays this again
	Source   string // file of the scenario
	Configs  string // how the user's config differs from the scenario's own; "" without one
}

// Tell writes the story.
func (s Story) Tell(p Paper) error {
	r := s.Result
	s.head(p)
	if len(r.Conversations) > 0 && r.Files["capture.pcapng"] != "" {
		if err := s.ladder(p); err != nil {
			return err
		}
		p.line("")
	}
	switch r.Outcome {
	case verdict.Unsupported, verdict.SetupFailed, verdict.LabError:
		p.labelled("reason", r.Reason)
		s.files(p)
		p.labelled("rerun", s.Rerun)
		p.line("")
		return nil
	}
	if s.Configs != "" {
		p.labelled("config", s.Configs)
	}
	p.labelled("why", strings.Join(strings.Fields(s.why()), " "))
	s.packets(p)
	s.differences(p)
	s.replies(p)
	s.nginx(p)
	s.kernel(p)
	for i, fix := range s.Fixes {
		label := ""
		if i == 0 {
			label = "fixes"
		}
		p.labelled(label, fmt.Sprintf("%s: %s", fix.ID, fix.Title))
	}
	if s.Scenario.Fixes != "" {
		p.labelled("fix of", s.Scenario.Fixes)
	}
	s.files(p)
	if r.Outcome == verdict.Fail {
		p.labelled("source", s.Source)
		p.labelled("rerun", s.Rerun)
	}
	p.line("")
	return nil
}

func (s Story) files(p Paper) {
	if capture := s.Result.Files["capture.pcapng"]; capture != "" && len(s.Result.Conversations) > 0 {
		p.labelled("files", relative(filepath.Dir(capture))+"/    capture.pcapng opens in Wireshark")
	}
}

// relative returns a path as seen from the working directory, where it is
// below that.
func relative(path string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return path
}

func (s Story) head(p Paper) {
	r := s.Result
	verdictWord := Word(r.Outcome)
	p.line("%s  %s  %s", p.in(bold, r.Scenario), p.in(outcomeInk(r.Outcome), verdictWord), p.in(dim, fmt.Sprintf("%.1f s", r.Seconds)))
	for _, line := range wrap(s.Scenario.Title, p.Width-2) {
		p.line("  %s", line)
	}
	var parts []string
	for _, host := range []scenario.Host{scenario.Client, scenario.Nginx, scenario.Backend} {
		part := Printable(r.Versions[host])
		if part == "" {
			continue
		}
		switch host {
		case scenario.Client:
			for _, k := range slices.Sorted(maps.Keys(r.Options)) {
				part += ", " + k + " " + r.Options[k]
			}
		case scenario.Nginx:
			part += " with " + r.Nginx
			if !strings.HasSuffix(r.Nginx, ".conf") {
				part += ".conf"
			}
		}
		parts = append(parts, part)
	}
	if len(r.Numbers) > 0 {
		parts = append(parts, "in real time, "+s.numbers(", "))
	}
	if len(parts) > 0 {
		for _, line := range wrap(strings.Join(append(parts, r.System), " · "), p.Width-2) {
			p.line("  %s", p.in(dim, line))
		}
	}
	p.line("")
}

// numbers are the times that the user has set: "client rests 1m1s".
func (s Story) numbers(between string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(s.Result.Numbers)) {
		all = append(all, k+" "+s.Result.Numbers[k])
	}
	return strings.Join(all, between)
}

// Word is an outcome as people read it.
func Word(o verdict.Outcome) string {
	switch o {
	case verdict.Pass:
		return "as declared"
	case verdict.Fail:
		return "not as declared"
	}
	return string(o)
}

func outcomeInk(o verdict.Outcome) ink {
	switch o {
	case verdict.Pass:
		return green
	case verdict.Unsupported:
		return yellow
	}
	return red
}

// conversations reads the capture again, with its frames.
func (s Story) conversations() ([]tcp.Conversation, error) {
	data, err := os.ReadFile(s.Result.Files["capture.pcapng"])
	if err != nil {
		return nil, err
	}
	var all []tcp.Conversation
	_, err = tcp.Explain(bytes.NewReader(data), tcp.Options{Keep: true}, func(c tcp.Conversation) { all = append(all, c) })
	return all, err
}

// involved says which hosts the scenario is about: those that it declares
// something of. The others' packets are in the capture, not in the story.
func (s Story) involved() []scenario.Host {
	seen := map[scenario.Host]bool{}
	for _, w := range s.Scenario.Want.Wire {
		seen[w.From], seen[w.To] = true, true
	}
	for _, e := range s.Scenario.Want.Ends {
		seen[e.Client], seen[e.Server] = true, true
	}
	all := []scenario.Host{scenario.Client, scenario.Nginx, scenario.Backend}
	for _, h := range s.Result.Hosts {
		if h == scenario.Backend2 { // two back ends do the same: the one is not without the other
			all = append(all, h)
			if seen[h] || seen[scenario.Backend] {
				seen[h], seen[scenario.Backend] = true, true
			}
		}
	}
	return slices.DeleteFunc(all, func(h scenario.Host) bool { return !seen[h] && len(seen) > 0 })
}

func (s Story) host(a netip.Addr) scenario.Host { return s.Result.Hosts[a.String()] }

func (s Story) ladder(p Paper) error {
	all, err := s.conversations()
	if err != nil {
		return err
	}
	hosts := s.involved()
	var l ladder
	if !slices.Contains(hosts, scenario.Backend) {
		l.elsewhere = "between nginx and the back end"
	}
	shown := map[string]bool{} // sockets of the connections in the ladder: ip:port
	ports := map[scenario.Host][]uint16{}
	for _, c := range all {
		client, server := s.host(c.Client.Addr()), s.host(c.Server.Addr())
		if !slices.Contains(hosts, client) || !slices.Contains(hosts, server) {
			continue
		}
		shown[c.Client.String()+" "+c.Server.String()] = true
		shown[c.Server.String()+" "+c.Client.String()] = true
		if !slices.Contains(ports[server], c.Server.Port()) {
			ports[server] = append(ports[server], c.Server.Port())
		}
		if client == scenario.Client {
			ports[client] = append(ports[client], c.Client.Port())
		}
		for _, f := range c.Segments {
			l.rungs = append(l.rungs, rung{at: f.Time, frame: &f, from: string(s.host(f.Src.Addr())), to: string(s.host(f.Dst.Addr()))})
		}
	}
	for _, h := range hosts {
		title := string(h)
		for i, port := range ports[h] {
			title += strings.Repeat(",", min(i, 1)) + fmt.Sprintf(" :%d", port)
		}
		l.lanes = append(l.lanes, lane{string(h), title})
	}
	for _, step := range s.Result.Steps {
		switch step.Do {
		case scenario.DoRequest, scenario.DoIdle, scenario.DoQuiet, scenario.DoAwait: // the packets show these
		default:
			l.rungs = append(l.rungs, rung{at: step.Time, note: step.Text})
		}
	}
	l.rungs = append(l.rungs, s.states(shown)...)
	l.draw(p)
	return nil
}

// states returns a rung for each look at the sockets that showed one of the
// ladder's connections in a state that is worth a word.
func (s Story) states(shown map[string]bool) []rung {
	var rungs []rung
	for _, before := range lookups(s.Result.Sockets) {
		r := rung{below: map[string]string{}}
		for _, socket := range s.Result.Sockets {
			if socket.Before != before || before == 0 || !shown[socket.Local+" "+socket.Peer] {
				continue
			}
			if socket.State == "ESTAB" || socket.State == "TIME-WAIT" {
				continue
			}
			r.at = socket.Time
			r.below[string(socket.Host)] = socket.State
		}
		if len(r.below) > 0 {
			rungs = append(rungs, r)
		}
	}
	return rungs
}

func lookups(sockets []verdict.Socket) []int {
	var all []int
	for _, s := range sockets {
		if !slices.Contains(all, s.Before) {
			all = append(all, s.Before)
		}
	}
	return all
}

func (s Story) differences(p Paper) {
	for _, d := range s.Result.Differences {
		p.line("  %s", p.in(red, d.What))
		p.labelled("  want", Printable(d.Want))
		p.labelled("  got", Printable(d.Got))
		if len(d.Frames) > 0 {
			p.labelled("", p.in(dim, "see "+frames(d.Frames)))
		}
	}
}

func frames(numbers []int) string {
	word := "frame"
	if len(numbers) > 1 {
		word = "frames"
	}
	for _, n := range numbers {
		word += fmt.Sprintf(" %d,", n)
	}
	return strings.TrimSuffix(word, ",")
}

// why is the mechanism that the scenario declares; where the result is
// another, what happened instead.
func (s Story) why() string {
	switch text := s.gone(); {
	case s.Result.Outcome == verdict.Pass:
		why := s.Scenario.Why
		if s.Configs != "" {
			why += " (So much for " + s.Scenario.Filled().Nginx + ".conf, the scenario's own; with your config the same is seen, its numbers are your own.)"
		}
		if len(s.Result.Numbers) > 0 {
			why += " (The times in this are the scenario's own; set in their place: " + s.numbers(" and ") + ".)"
		}
		return why
	case text != "":
		return text
	case s.cameAbout():
		return "The failure that this scenario is about came about; something else is not as declared. What the packets say:"
	}
	return "Not what this scenario declares. What the packets say:"
}

// cameAbout says whether every unhealthy end that is declared was seen.
func (s Story) cameAbout() bool {
	declared := false
	for _, end := range s.Scenario.Want.Ends {
		if end.Cause == "" || end.Cause.Healthy() {
			continue
		}
		declared = true
		if !slices.ContainsFunc(s.Result.Conversations, func(c tcp.Conversation) bool { return c.Cause == end.Cause }) {
			return false
		}
	}
	return declared
}

// gone says, of a failure that was declared and did not come about, what went
// well in its place; "" when something else failed.
func (s Story) gone() string {
	declared := slices.ContainsFunc(s.Scenario.Want.Replies, func(r scenario.Reply) bool { return r.Class != "" || r.Status >= 500 })
	if !declared || len(s.Result.Replies) == 0 || len(s.Result.Resets) > 0 {
		return ""
	}
	for _, r := range s.Result.Replies {
		if r.Error != nil || r.Status >= 400 {
			return ""
		}
	}
	last := s.Result.Replies[len(s.Result.Replies)-1]
	all, err := s.conversations()
	if err != nil {
		return ""
	}
	for _, c := range all {
		if s.host(c.Client.Addr()) != scenario.Client || int(c.Client.Port()) != last.LocalPort {
			continue
		}
		rest, frame := longestRest(c)
		if rest >= gap {
			return fmt.Sprintf("The failure is gone: the client rested for %s, its connection was still open when it came back (frame %d), and the request was answered with %d. It stays gone for as long as no client rests longer than the server keeps the connection.",
				seconds(rest), frame, last.Status)
		}
	}
	return fmt.Sprintf("The failure is gone: every request was answered, the last with %d.", last.Status)
}

// longestRest returns the longest time that a connection lay idle before its
// client sent again, and the frame with which it did.
func longestRest(c tcp.Conversation) (longest time.Duration, frame int) {
	for i, f := range c.Segments {
		if i > 0 && f.Src == c.Client && f.Len > 0 && f.Time.Sub(c.Segments[i-1].Time) > longest {
			longest, frame = f.Time.Sub(c.Segments[i-1].Time), f.Number
		}
	}
	return longest, frame
}

// packets says how each connection between the story's hosts ended.
func (s Story) packets(p Paper) {
	label := "packets"
	hosts := s.involved()
	for _, c := range s.Result.Conversations {
		client, server := s.host(c.Client.Addr()), s.host(c.Server.Addr())
		if !slices.Contains(hosts, client) || !slices.Contains(hosts, server) {
			continue
		}
		p.labelled(label, fmt.Sprintf("%s > %s: %s  [%s]", client, server, Printable(c.Text), c.Cause))
		label = ""
	}
}

func (s Story) replies(p Paper) {
	label := "client"
	for _, o := range s.Result.Replies {
		text := ""
		if o.Status != 0 {
			text = fmt.Sprintf("%d", o.Status)
		}
		if o.Error != nil {
			var parts []string
			for line := range strings.SplitSeq(o.Error.Text, "\n") {
				parts = append(parts, Printable(line))
			}
			text = strings.TrimSpace(text + " " + strings.Join(parts, "\n"))
		}
		switch { // a raw client's, that asked for no response
		case text != "":
		case o.Bytes > 0:
			text = fmt.Sprintf("%d bytes, %s", o.Bytes, Printable(strconv.Quote(clip(o.Body, 60))))
		default:
			text = "done"
		}
		port := ""
		if o.LocalPort != 0 {
			port = fmt.Sprintf(" (:%d)", o.LocalPort)
		}
		p.labelled(label, fmt.Sprintf("request %d%s: %s", o.N, port, text))
		label = ""
	}
	sent := 0
	for _, c := range s.Result.Conversations {
		if s.host(c.Client.Addr()) == scenario.Client {
			sent += c.Requests
		}
	}
	if again := sent - len(s.Result.Replies); again > 0 && len(s.Result.Replies) > 0 && !s.scripted() {
		p.labelled("", fmt.Sprintf("it was called %d times and sent %d requests: it tried again by itself", len(s.Result.Replies), sent))
	}
}

// scripted says that the client does what its scripts say and nothing by itself:
// one of its steps may be a part of a request, or several.
func (s Story) scripted() bool { return s.Result.Client == "raw" }

// middleCut leaves out the middle of a line in which nginx quotes a request that
// is too long for it.
func middleCut(line string) string {
	if len(line) < 800 {
		return line
	}
	return strings.ToValidUTF8(line[:250]+" … "+line[len(line)-250:], "")
}

func (s Story) nginx(p Paper) {
	label := "nginx"
	for _, line := range s.Result.ErrorLog {
		if verdict.Notable(line) || verdict.Informs(s.Scenario, line) {
			p.labelled(label, "error.log: "+middleCut(Printable(line)))
			label = ""
		}
	}
	if label == "" || s.Result.Versions[scenario.Nginx] == "" {
		return
	}
	answered := 0
	for _, r := range s.Result.Replies {
		if r.Status != 0 {
			answered++
		}
	}
	switch unseen := len(s.Result.Replies) - len(s.Result.AccessLog); {
	case len(s.Result.AccessLog) < answered:
		p.labelled(label, count(answered-len(s.Result.AccessLog), "answered request")+" without a line in /var/log/nginx/access.log: the config logs elsewhere, where the lab does not look")
	case unseen <= 0 || s.scripted():
		p.labelled(label, "nothing in error.log")
	case len(s.Result.Replies) == 1:
		p.labelled(label, "no line in access.log or error.log: its process never saw the request")
	default:
		p.labelled(label, fmt.Sprintf("no line for %d of %d requests, neither in access.log nor in error.log: its process never saw it", unseen, len(s.Result.Replies)))
	}
}

func (s Story) kernel(p Paper) {
	var parts []string
	for _, k := range s.Result.Kernel {
		from, err := netip.ParseAddrPort(k.From)
		if err != nil {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s sent RST because of %s (tcp_send_reset)", cmp.Or(string(s.host(from.Addr())), k.From), k.Reason))
	}
	for _, host := range []scenario.Host{scenario.Client, scenario.Nginx, scenario.Backend} {
		for _, c := range s.Result.Counters[host] {
			if c.Name == "Tcp:OutRsts" || strings.Contains(c.Name, "Abort") {
				parts = append(parts, fmt.Sprintf("%s +%d on %s", strings.TrimPrefix(strings.TrimPrefix(c.Name, "TcpExt:"), "Tcp:"), c.After-c.Before, host))
			}
		}
	}
	if len(parts) > 0 {
		p.labelled("kernel", strings.Join(parts, " · "))
	}
}
