// Package catalogue has every scenario, each in a file named as its ID. To add
// one, add a file: list, show, run, the reports and the tests find it here.
package catalogue

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"rstlab/lab/scenario"
)

// Article names the scenarios that `make lab` shows, wherever a pattern is
// taken.
const Article = "article"

var all []scenario.Scenario

func add(s scenario.Scenario) scenario.Scenario {
	all = append(all, s)
	return s
}

// All returns every scenario: first those of the tour in its order, then the
// others by ID, each fix behind its failure.
func All() []scenario.Scenario {
	failure := map[string]scenario.Scenario{}
	for _, s := range all {
		failure[s.ID] = s
	}
	tour := func(s scenario.Scenario) int { return cmp.Or(s.Article, 1<<30) }
	return slices.SortedFunc(slices.Values(all), func(a, b scenario.Scenario) int {
		of := func(s scenario.Scenario) scenario.Scenario {
			if f, ok := failure[s.Fixes]; ok {
				return f
			}
			return s
		}
		return cmp.Or(cmp.Compare(tour(of(a)), tour(of(b))), cmp.Compare(of(a).ID, of(b).ID),
			cmp.Compare(a.Fixes, b.Fixes), cmp.Compare(tour(a), tour(b)), cmp.Compare(a.ID, b.ID))
	})
}

// Find returns the scenarios that the patterns name, in the order of All: an
// ID, a pattern with * and ?, or "article". No pattern names all.
func Find(patterns ...string) ([]scenario.Scenario, error) {
	if len(patterns) == 0 {
		return All(), nil
	}
	named := map[string]bool{}
	for _, pattern := range patterns {
		found := false
		for _, s := range all {
			matches, err := path.Match(pattern, s.ID)
			if err != nil {
				return nil, fmt.Errorf("pattern %q: %w", pattern, err)
			}
			if matches || pattern == Article && s.Article > 0 {
				named[s.ID], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no scenario %q; %s", pattern, nearest(pattern))
		}
	}
	return slices.DeleteFunc(All(), func(s scenario.Scenario) bool { return !named[s.ID] }), nil
}

// FixesOf returns the scenarios that fix a failure.
func FixesOf(id string) []scenario.Scenario {
	return slices.DeleteFunc(All(), func(s scenario.Scenario) bool { return s.Fixes != id })
}

// nearest says which IDs, three at most, are like a name.
func nearest(name string) string {
	var ids []string
	for _, s := range all {
		if distance(name, s.ID) <= len(name)/2 {
			ids = append(ids, s.ID)
		}
	}
	if ids == nil {
		return "lab list shows those that there are"
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(distance(name, a)-distance(name, b), cmp.Compare(a, b))
	})
	return "the nearest: " + strings.Join(ids[:min(3, len(ids))], ", ")
}

// distance is Levenshtein's, less for a name that the ID contains.
func distance(name, id string) int {
	if strings.Contains(id, name) {
		return 0
	}
	row := make([]int, len(id)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(name) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(id) {
			change := corner
			if name[i] != id[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(id)]
}

// The steps of a play.
var (
	get      = scenario.Get
	idle     = scenario.Idle
	quiet    = scenario.Quiet
	kill     = scenario.Kill
	killHost = scenario.KillHost
	start    = scenario.Start
	reload   = scenario.Reload
	pause    = scenario.Pause
	await    = scenario.Await
)

const (
	client  = scenario.Client
	nginx   = scenario.Nginx
	backend = scenario.Backend

	second = time.Second
)

// exchange is one request and its answer on an open connection, as the kernel
// sends them when nothing else is in their way: the request, its ACK, the
// response, its ACK.
func exchange(from, to scenario.Host) []scenario.Segment {
	return []scenario.Segment{{From: from, To: to, Flags: "P."}, {From: to, To: from, Flags: "."}, {From: to, To: from, Flags: "P."}, {From: from, To: to, Flags: "."}}
}

// handshake is the three-way handshake (RFC 9293, 3.5).
func handshake(from, to scenario.Host) []scenario.Segment {
	return []scenario.Segment{{From: from, To: to, Flags: "S"}, {From: to, To: from, Flags: "S."}, {From: from, To: to, Flags: "."}}
}

// staleRequest is a request on a connection that its server has closed and
// whose FIN has arrived: FIN, its ACK, the request, RST (RFC 9293, 3.10.7.4).
func staleRequest(from, to scenario.Host) []scenario.Segment {
	return []scenario.Segment{{From: to, To: from, Flags: "F."}, {From: from, To: to, Flags: "."}, {From: from, To: to, Flags: "P."}, {From: to, To: from, Flags: "R"}}
}
