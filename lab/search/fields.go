package search

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rstlab/lab/scenario"
)

// field is something of a scenario that can be found.
type field struct {
	where, line string
	form        string // what is compared, where that is not the line itself
	weight      int    // of each word that matches
	narrow      bool   // not looked for in a longer text
}

// The weights.
const (
	inProse = 1 + iota
	inTitle
	inMeaning // of an error, a status, a packet
	inText    // of the client or the error log, word for word
)

func (f field) words() []word { return wordsOf(cmp.Or(f.form, f.line)) }

// fieldsOf returns everything of a scenario that its user may have on his
// screen, and its prose.
func fieldsOf(s scenario.Scenario) []field {
	var all []field
	add := func(where string, weight int, line string, forms ...string) {
		for _, form := range append(forms, "") {
			all = append(all, field{where, line, form, weight, false})
		}
	}
	narrow := func(where string, weight int, line string) {
		all = append(all, field{where, line, "", weight, true})
	}
	for _, w := range s.Wants() {
		for _, r := range w.Replies {
			for _, text := range r.Text {
				add("client", inText, text, pieces(text)...)
			}
		}
		for _, line := range slices.Concat(w.ErrorLog, w.Info) {
			message, _, _ := strings.Cut(line, " while ")
			add("error.log", inText, line, append(pieces(message), message)...)
		}
		for _, a := range w.Access {
			if a.Status < 400 && a.Upstream == strconv.Itoa(a.Status) {
				continue // as it should be
			}
			line := fmt.Sprintf("status %d, upstream_status %s", a.Status, cmp.Or(a.Upstream, "-"))
			forms := []string{"upstream_status " + a.Upstream}
			if a.Status >= 400 {
				forms = append(forms, strconv.Itoa(a.Status), fmt.Sprint("status ", a.Status))
			}
			if a.Upstream == "" {
				forms[0] = line
			}
			add("access.log", inMeaning, line, forms...)
		}
		for _, segment := range w.Wire {
			if strings.Contains(segment.Flags, "R") {
				narrow("RST", inMeaning, fmt.Sprintf("%s > %s %s", segment.From, segment.To, segment.Flags))
			}
		}
		for _, r := range w.Resets {
			narrow("RST", inMeaning, fmt.Sprintf("%s > %s R, %s", r.From, r.To, r.Kind))
		}
		for _, e := range w.Ends {
			narrow("cause", inMeaning, fmt.Sprintf("%s, %s > %s", e.Cause, e.Client, e.Server))
		}
		for _, so := range w.Sockets {
			narrow("ss", inMeaning, fmt.Sprintf("%s on %s", so.State, so.Host))
		}
		for _, c := range w.Counters {
			add("counter", inMeaning, fmt.Sprintf("%s on %s", c.Name, c.Host), c.Name)
		}
	}
	for _, symptom := range s.Symptoms() {
		for _, phrase := range phrases(symptom) {
			line := string(symptom)
			if phrase != line {
				line += fmt.Sprintf(" (%q)", phrase)
			}
			add("client", inMeaning, line, phrase)
		}
		narrow("symptom", inMeaning, string(symptom))
	}
	narrow("ID", inTitle, s.ID)
	narrow("title", inTitle, s.Title)
	for _, text := range sentence.Split(strings.Join(strings.Fields(s.Why), " "), -1) {
		narrow("why", inProse, text)
	}
	for _, ref := range s.Refs {
		narrow("refs", inProse, ref)
	}
	return all
}

// telling is how many words a piece between the lab's own names has, to say
// something without them: "Get http" stands in many a log.
const telling = 3

var (
	// own matches names and ports of the lab's hosts, which are others in a
	// user's text.
	own      = regexp.MustCompile(`test\.foo\.com(:\d+)?|backend:8080|\d+\.\d+\.\d+\.\d+(:\d+)?|unix:\S+`)
	sentence = regexp.MustCompile(`[.;] `)
)

// pieces returns what stands between the lab's own names in a text.
func pieces(text string) []string {
	return slices.DeleteFunc(own.Split(text, -1), func(piece string) bool { return len(wordsOf(piece)) < telling })
}

// phrases returns how HTTP clients word a symptom.
func phrases(s scenario.Symptom) []string {
	if status, err := strconv.Atoi(string(s)); err == nil {
		all := append(said[s], string(s))
		if text := http.StatusText(status); text != "" {
			all = append(all, text, string(s)+" "+text)
		}
		return all
	}
	return said[s]
}

var said = map[scenario.Symptom][]string{
	"504": {"504 Gateway Time-out", "Gateway Time-out"}, // nginx's own spelling
	scenario.SymptomReset: {
		"Connection reset by peer", "Connection reset", "connection was reset", // C, Go, curl; Java; browsers
		"read ECONNRESET", "ECONNRESET", "ConnectionResetError", "ECONNABORTED",
		"Broken pipe", "write EPIPE", "EPIPE", "BrokenPipeError",
	},
	scenario.SymptomEOF: {
		"EOF", "EOFException", "EOFError", "end of file reached", // Go, Java, Ruby
		"unexpected end of stream", "failed to respond", "NoHttpResponseException", "header parser received no bytes", // OkHttp, Apache, java.net.http
		"socket hang up", "other side closed", // Node, undici
		"Remote end closed connection without response", "RemoteDisconnected", "Server disconnected", "ServerDisconnectedError", // Python
		"Empty reply from server", "server closed idle connection", "connection closed before message completed", // curl, Go, Rust
	},
	scenario.SymptomTimeout: {
		"timed out", "timeout", "ETIMEDOUT", "SocketTimeoutException", "HttpTimeoutException", "TimeoutError", "ReadTimeout", "ConnectTimeout",
		"context deadline exceeded", "i/o timeout", "Connection timed out",
	},
	scenario.SymptomRefused: {
		"Connection refused", "ECONNREFUSED", "ConnectionRefusedError", "Failed to connect", "Couldn't connect to server",
	},
	scenario.SymptomUnreachable: {
		"No route to host", "EHOSTUNREACH", "NoRouteToHostException", "Network is unreachable", "ENETUNREACH", "Host is unreachable",
	},
	scenario.SymptomLost: {
		"unexpected EOF", "IncompleteRead", "Premature end", "ConnectionClosedException", "transfer closed with", // Go, Python, Apache, curl
		"Response payload is not completed", "Response ended prematurely", "Premature close", "terminated", "aborted", // aiohttp, node-fetch, undici, Node
		"end of file before message length reached", "content length mismatch", "ERR_CONTENT_LENGTH_MISMATCH", "ERR_INCOMPLETE_CHUNKED_ENCODING",
	},
	scenario.SymptomOther: {
		"malformed HTTP response", "Received HTTP/0.9 when not allowed", "BadStatusLine", "Parse Error: Expected HTTP", // Go, curl, Python, Node
	},
}
