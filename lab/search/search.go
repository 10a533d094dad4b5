// Package search finds scenarios by what a user has on his screen: an error of
// his client, a line of nginx's log, the state of a socket, or a word of it.
//
// Texts are compared as words, whatever stands between them. What a scenario
// declares is looked for in the user's text, which may be a whole line with
// addresses of his own, and the user's text in what is declared.
//
// Alternatives considered: an index, or fuzzy matching, which find more than
// they can justify. A hundred scenarios are read in a few milliseconds, and of
// each that is found the user sees which line matched.
package search

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"rstlab/lab/scenario"
)

// Hit is a scenario that was found, and the line of it that matches best.
type Hit struct {
	scenario.Scenario
	Where    string // client, error.log, access.log, ...
	Line     string
	From, To int // what of Line matched; both 0 when it has not the user's words
	words    int // how many matched
	score    int
}

// Find returns the scenarios in which a text is found, the best first: the more
// words match the better, and declared texts before prose. Where no scenario
// has it in one piece, those are returned that have all of its words.
func Find(text string, in []scenario.Scenario) []Hit {
	query := wordsOf(text)
	hits := each(in, query, together)
	if hits == nil && len(query) <= mostScattered {
		hits = each(in, query, scattered)
	}
	most := 0
	for _, h := range hits {
		most = max(most, h.words)
	}
	// A few words of a long line say little where another scenario has most of it.
	hits = slices.DeleteFunc(hits, func(h Hit) bool { return 3*h.words < most })
	fix := func(h Hit) int { return min(len(h.Fixes), 1) } // is rather not what he has met
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.score, a.score), fix(a)-fix(b)) })
	return hits
}

func each(in []scenario.Scenario, query []word, match func([]field, []word) (Hit, bool)) []Hit {
	var hits []Hit
	for _, s := range in {
		if hit, ok := match(fieldsOf(s), query); ok && len(query) > 0 {
			hit.Scenario = s
			hits = append(hits, hit)
		}
	}
	return hits
}

// together returns the best line that has the text in one piece, or is found
// in it.
func together(fields []field, query []word) (best Hit, ok bool) {
	for _, f := range fields {
		matched, found := query, false
		if _, found = find(query, f.words(), true); !found && !f.narrow {
			matched = f.words()
			_, found = find(matched, query, false)
		}
		if score := len(matched) * f.weight; found && score > best.score {
			best, ok = Hit{Where: f.where, Line: f.line, words: len(matched), score: score}, true
			if at, there := find(matched, wordsOf(f.line), true); there {
				best.From, best.To = span(wordsOf(f.line)[at : at+len(matched)])
			}
		}
	}
	return best, ok
}

// mostScattered is up to how many words are looked for one by one: a text of
// more is not what somebody remembers but what he pasted.
const mostScattered = 8

// scattered returns the line that has most of the words, where each is in one.
// A reference is no line: it has too many names in it.
func scattered(fields []field, query []word) (best Hit, ok bool) {
	fields = slices.DeleteFunc(fields, func(f field) bool { return f.where == "refs" })
	missing := slices.Clone(query)
	for _, f := range fields {
		has := func(w word) bool { _, ok := find([]word{w}, f.words(), true); return ok }
		n := 0
		for _, w := range query {
			if has(w) {
				n++
			}
		}
		missing = slices.DeleteFunc(missing, has)
		if score := n * f.weight; score > best.score {
			best = Hit{Where: f.where, Line: f.line, words: 1, score: score}
		}
	}
	return best, len(missing) == 0
}

// word is a word of a text, in lower case, and where it is.
type word struct {
	text     string
	from, to int
}

// wordsOf returns the runs of letters and the runs of digits of a text.
func wordsOf(text string) []word {
	var all []word
	kind := func(r rune) int {
		switch {
		case unicode.IsLetter(r):
			return 1
		case unicode.IsDigit(r):
			return 2
		}
		return 0
	}
	begun, last := 0, 0
	end := func(at int) {
		if last != 0 {
			all = append(all, word{strings.ToLower(text[begun:at]), begun, at})
		}
		begun = at
	}
	for at, r := range text {
		if k := kind(r); k != last {
			end(at)
			last = k
		}
	}
	end(len(text))
	return all
}

func span(words []word) (from, to int) { return words[0].from, words[len(words)-1].to }

// find returns where a run of words is in another. With open, its last may be
// the beginning of a longer one, but for the shortest.
func find(run, in []word, open bool) (at int, ok bool) {
	const shortest = 3
	for at := 0; len(run) > 0 && at+len(run) <= len(in); at++ {
		same := true
		for i, w := range run {
			other := in[at+i].text
			prefix := open && i == len(run)-1 && len(w.text) >= shortest && strings.HasPrefix(other, w.text)
			if !prefix && other != w.text {
				same = false
				break
			}
		}
		if same {
			return at, true
		}
	}
	return 0, false
}
