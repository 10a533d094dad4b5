package scenario

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Symptom is what a user sees of a scenario: a status, or how his client
// fails. It follows from what the scenario declares, but for the few that say
// how they look.
type Symptom string

// The symptoms beside the statuses, which are written as they are: "502".
const (
	SymptomReset       Symptom = "reset"
	SymptomEOF         Symptom = "EOF"
	SymptomTimeout     Symptom = "timeout"
	SymptomRefused     Symptom = "refused"
	SymptomUnreachable Symptom = "unreachable"
	SymptomLost        Symptom = "lost answer"
	SymptomOther       Symptom = "other error"
	SymptomTwice       Symptom = "ran twice"
	SymptomNone        Symptom = "no failure"
)

// symptoms has what a user would call each, in the order in which a list has
// them. Statuses that are not here stand behind the first three.
var symptoms = []struct {
	Symptom
	says string
}{
	{"502", "nginx answers in place of a back end that refused, reset or hung up"},
	{"504", "nginx waited for the back end, and gave up"},
	{"499", "the client left before the answer; only access.log says so"},
	{SymptomReset, "Connection reset by peer, ECONNRESET, Broken pipe"},
	{SymptomEOF, "closed in place of an answer: unexpected end of stream, socket hang up, empty reply"},
	{SymptomTimeout, "nothing comes, and the client's own timer ends it"},
	{SymptomRefused, "Connection refused, ECONNREFUSED"},
	{SymptomUnreachable, "No route to host, Network is unreachable"},
	{SymptomLost, "the answer was made, and the client has nothing of it, or a part"},
	{SymptomOther, "the client can make nothing of what comes"},
	{SymptomTwice, "every request is answered, and one ran more than once"},
	{SymptomNone, "it works, or heals before the client notices"},
}

// Says is what a user would call the symptom; "" for a status that needs no
// words.
func (s Symptom) Says() string {
	for _, known := range symptoms {
		if known.Symptom == s {
			return known.says
		}
	}
	return ""
}

// Failed says whether something is wrong at all.
func (s Symptom) Failed() bool { return s != SymptomNone }

// Compare orders symptoms as a list has them.
func (s Symptom) Compare(other Symptom) int {
	rank := func(s Symptom) int {
		for i, known := range symptoms {
			if known.Symptom == s && i >= 3 {
				return 1000 + i
			} else if known.Symptom == s {
				return i
			}
		}
		status, _ := strconv.Atoi(string(s))
		return status
	}
	return cmp.Compare(rank(s), rank(other))
}

// Exchange is a request of a play and what is declared to come of it.
type Exchange struct {
	Reply  Reply
	Access Access // nginx's line of it; Status is 0 where there is none or it cannot be told
}

// Exchanges returns what is declared of each request, with the defaults written
// out.
func (s Scenario) Exchanges() []Exchange { return s.exchanges(s.Want) }

func (s Scenario) exchanges(w Want) []Exchange {
	replies := w.Replies
	if replies == nil {
		replies = slices.Repeat([]Reply{{Status: 200}}, s.Requests())
	}
	all := make([]Exchange, len(replies))
	lines := slices.Clone(w.Access) // that are nobody's yet
	var without []int               // replies whose status stands in none
	for i, r := range replies {
		all[i].Reply = r
		at := slices.IndexFunc(lines, func(a Access) bool { return r.Status != 0 && a.Status == r.Status })
		switch {
		case w.Access == nil:
			all[i].Access.Status = r.Status
		case at >= 0:
			all[i].Access = lines[at]
			lines = slices.Delete(lines, at, at+1)
		default:
			without = append(without, i)
		}
	}
	if len(lines) == len(without) {
		for n, i := range without {
			all[i].Access = lines[n]
		}
	}
	return all
}

// Symptom returns what the user sees of one request.
func (e Exchange) Symptom() Symptom {
	r, logged := e.Reply, e.Access.Status
	answered := logged >= 100 && !slices.Contains([]int{408, 444, 499}, logged) // those three are logged and never sent
	status := func(n int) Symptom { return Symptom(strconv.Itoa(n)) }
	switch {
	case r.Status >= 400 && r.Class == "":
		return status(r.Status)
	case r.Status != 0 && r.Class != "":
		return SymptomLost
	case r.Status != 0:
		return SymptomNone
	case logged == 499 && (r.Class == "" || r.Class == "timeout"): // the client has left
		return "499"
	case r.Class == "" && r.Text == nil && logged >= 400:
		return status(logged)
	case r.Class == "" && r.Text == nil && logged == 0:
		return SymptomNone
	case answered && slices.Contains([]string{"", "reset", "eof"}, r.Class):
		return SymptomLost
	}
	return OfClass(r.Class)
}

// OfClass is the symptom that a client's class of error is.
func OfClass(class string) Symptom {
	switch class {
	case "reset", "timeout", "refused", "unreachable":
		return Symptom(class)
	case "eof":
		return SymptomEOF
	}
	return SymptomOther
}

// Symptom returns what the user sees of the scenario: of its first request that
// fails, with some nginx.
func (s Scenario) Symptom() Symptom {
	if s.Looks != "" {
		return s.Looks
	}
	wants := []Want{s.Want}
	for _, since := range s.Since {
		wants = append(wants, since.Want)
	}
	for _, w := range wants {
		for _, e := range s.exchanges(w) {
			if symptom := e.Symptom(); symptom.Failed() {
				return symptom
			}
		}
	}
	if len(s.Want.Ran) > s.Requests() {
		return SymptomTwice
	}
	return SymptomNone
}

// Symptoms returns every symptom that a user may see of the scenario, also of
// what it declares in Since and Or, and what the client calls it where an answer
// was lost.
func (s Scenario) Symptoms() []Symptom {
	all := []Symptom{s.Symptom()}
	for _, w := range s.Wants() {
		for _, e := range s.exchanges(w) {
			all = append(all, e.Symptom())
			if e.Reply.Class != "" {
				all = append(all, OfClass(e.Reply.Class))
			}
		}
	}
	slices.SortFunc(all, Symptom.Compare)
	return slices.DeleteFunc(slices.Compact(all), func(s Symptom) bool { return !s.Failed() })
}

// Wants returns all that may be seen: Want, and what Since and Or declare in
// its place.
func (s Scenario) Wants() []Want {
	all := []Want{s.Want}
	for _, since := range s.Since {
		all = append(all, since.Want)
	}
	return append(all, s.Or...)
}

// Cost is about how long a play takes: what it rests, and a second for the
// bench.
func (s Scenario) Cost() time.Duration { return s.Waits().Round(time.Second) + time.Second }

// Group is scenarios that look the same to a user: failures, each followed by
// its fixes.
type Group struct {
	Symptom   Symptom
	Scenarios []Scenario
}

// BySymptom groups scenarios, which keep their order. A fix is where its
// failure is, which all has.
func BySymptom(found, all []Scenario) []Group {
	of := func(s Scenario) Symptom {
		for _, failure := range all {
			if failure.ID == s.Fixes {
				return failure.Symptom()
			}
		}
		return s.Symptom()
	}
	var groups []Group
	for _, s := range found {
		symptom := of(s)
		at, there := slices.BinarySearchFunc(groups, symptom, func(g Group, s Symptom) int { return g.Symptom.Compare(s) })
		if !there {
			groups = slices.Insert(groups, at, Group{Symptom: symptom})
		}
		groups[at].Scenarios = append(groups[at].Scenarios, s)
	}
	return groups
}
