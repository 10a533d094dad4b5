// Package verdict compares what a scenario declares with what was seen, whole:
// what is not declared must not have happened. It is pure.
package verdict

import (
	"time"

	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// Outcome is how a play of a scenario came out. The set is closed: none is
// ever relabelled as another, and nothing is played again until it passes.
type Outcome string

const (
	Pass        Outcome = "pass"         // as declared
	Fail        Outcome = "fail"         // not as declared
	Unsupported Outcome = "unsupported"  // a part cannot do what the scenario asks
	SetupFailed Outcome = "setup-failed" // the bench did not come to stand: nothing was played
	LabError    Outcome = "lab-error"    // the lab itself failed while it played
)

// Result is one play of one scenario: an element of results.json. Scripts read
// it, so fields are added and never renamed.
type Result struct {
	Scenario     string  `json:"scenario"`
	Client       string  `json:"client"`
	Nginx        string  `json:"nginx"`                   // the config: a variant's name, or the path of the user's own
	NginxVersion string  `json:"nginx_version,omitempty"` // as it was asked for; "" is the lab's own choice
	Run          int     `json:"run"`
	Shown        int     `json:"shown,omitempty"` // of a pass: 0 what is wanted, n the n-th of what may be seen as well
	Outcome      Outcome `json:"outcome"`
	Reason       string  `json:"reason,omitempty"` // of an outcome that is neither pass nor fail

	Numbers map[string]string `json:"numbers,omitempty"` // times that the user has set in place of the scenario's own

	Title       string       `json:"title"`
	Differences []Difference `json:"differences,omitempty"`

	Replies       []scenario.Outcome                   `json:"replies"`
	Ran           []string                             `json:"ran"` // by the back ends
	Resets        []Reset                              `json:"resets"`
	Conversations []tcp.Conversation                   `json:"conversations"`
	Hosts         map[string]scenario.Host             `json:"hosts"` // by address
	ErrorLog      []string                             `json:"error_log"`
	AccessLog     []string                             `json:"access_log"`
	Steps         []Step                               `json:"steps"`
	Sockets       []Socket                             `json:"sockets"`
	Kernel        []KernelReset                        `json:"kernel"` // null where the kernel could not be asked
	Counters      map[scenario.Host][]scenario.Counter `json:"counters"`
	Versions      map[scenario.Host]string             `json:"versions"`
	System        string                               `json:"system"`
	Options       map[string]string                    `json:"options,omitempty"` // of the client
	Seconds       float64                              `json:"seconds"`
	Files         map[string]string                    `json:"files"` // of the evidence, by name
}

// Difference is one thing that is not as declared. Want and Got are in the
// same notation.
type Difference struct {
	What   string `json:"what"`
	Want   string `json:"want"`
	Got    string `json:"got"`
	Frames []int  `json:"frames,omitempty"` // near which frames of the capture to look
}

// Step is a step of the play and when it was taken, by the captures' clock.
type Step struct {
	Do   scenario.Verb `json:"do"`
	Text string        `json:"text"`
	Time time.Time     `json:"time"`
}

// Reset is a RST that was captured.
type Reset struct {
	From  scenario.Host `json:"from"`
	To    scenario.Host `json:"to"`
	Kind  tcp.ResetKind `json:"kind"`
	Frame int           `json:"frame"`
}

// Socket is a socket that ss showed at a tap.
type Socket struct {
	Before int           `json:"before"` // the number of the request that came next; 0 at the end
	Time   time.Time     `json:"time"`
	Host   scenario.Host `json:"host"`
	State  string        `json:"state"`
	Local  string        `json:"local"`
	Peer   string        `json:"peer"`
}

// KernelReset is why the kernel sent a RST, in its own words.
type KernelReset struct {
	From   string `json:"from"` // ip:port
	To     string `json:"to"`
	State  string `json:"state"`
	Reason string `json:"reason"`
}

// Of judges an observation of a scenario.
func Of(s scenario.Scenario, o scenario.Observation) Result {
	r := result(s, o)
	r.Outcome = Pass
	r.Shown, r.Differences = Check(s, o)
	if len(r.Differences) > 0 {
		r.Outcome = Fail
	}
	return r
}

// Broken is the result of a play that came to no verdict, with what was seen
// of it.
func Broken(s scenario.Scenario, o scenario.Observation, outcome Outcome, reason string) Result {
	r := result(s, o)
	r.Outcome, r.Reason = outcome, reason
	return r
}

func result(s scenario.Scenario, o scenario.Observation) Result {
	s = s.Filled()
	r := Result{
		Scenario: s.ID, Client: s.Client, Nginx: s.Nginx, Title: s.Title,
		Replies: list(o.Outcomes), Ran: list(o.Ran), Resets: resets(o), Conversations: list(o.Conversations),
		Hosts: map[string]scenario.Host{}, ErrorLog: o.ErrorLog, AccessLog: o.AccessLog,
		Counters: o.Counters, Versions: o.Versions, System: o.System, Options: options(s.Options),
		Seconds: o.Took.Seconds(), Files: map[string]string{},
	}
	for addr, host := range o.Names {
		r.Hosts[addr.String()] = host
	}
	for _, t := range o.Steps {
		r.Steps = append(r.Steps, Step{t.Step.Do, t.Step.String(), t.Time})
	}
	for _, snapshot := range o.Sockets {
		for _, socket := range snapshot.Sockets {
			r.Sockets = append(r.Sockets, Socket{snapshot.Before, snapshot.Time, snapshot.Host, socket.State, socket.Local.String(), socket.Peer.String()})
		}
	}
	if o.Kernel != nil {
		r.Kernel = []KernelReset{}
	}
	for _, k := range o.Kernel {
		r.Kernel = append(r.Kernel, KernelReset{k.From.String(), k.To.String(), k.State, k.Reason})
	}
	return r
}

// list is never nil, so that it is [] in JSON and not null.
func list[T any](s []T) []T { return append([]T{}, s...) }

func options(o scenario.Options) map[string]string {
	m := map[string]string{}
	if o.Retry != "" {
		m["retry"] = string(o.Retry)
	}
	if o.PoolIdle != 0 {
		m["pool idle"] = o.PoolIdle.String()
	}
	if o.Timeout != 0 {
		m["timeout"] = o.Timeout.String()
	}
	if o.HTTP2 != "" {
		m["HTTP/2"] = string(o.HTTP2)
	}
	return m
}
