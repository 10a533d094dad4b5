package tcp

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Source is one capture among several of the same traffic.
type Source struct {
	Name string
	io.ReadSeeker
}

// Merged says how one source was fitted to the first.
type Merged struct {
	Name   string
	Offset time.Duration // what its clock is ahead of the first's
	Common int           // segments seen in both, on which the estimate rests
	OneWay bool          // they all went one way: the path's delay is part of the offset
	Of     string        // the source of the same tap that this one comes before or after, as files of a ring do; "" when none
	Summary
}

func (m Merged) String() string {
	off := "clock " + m.Offset.Abs().Round(10*time.Microsecond).String()
	switch {
	case m.Offset.Abs() < 10*time.Microsecond:
		off = "the same clock"
	case m.Offset > 0:
		off += " ahead"
	default:
		off += " behind"
	}
	switch {
	case m.Of != "":
		return fmt.Sprintf("%s: taken to be of the same tap as %s, before or after it", m.Name, m.Of)
	case m.Common == 0:
		return fmt.Sprintf("%s: nothing in common with the first capture, its clock is taken as it is", m.Name)
	case m.OneWay:
		return fmt.Sprintf("%s: %s, path included (%d segments in common, one way only)", m.Name, off, m.Common)
	}
	return fmt.Sprintf("%s: %s (%d segments in common)", m.Name, off, m.Common)
}

// maxCommon bounds the segments that are compared to find a clock's offset.
const maxCommon = 1 << 18

// Merge writes captures of one path, or of several, as one pcapng in the order
// of time, each with interfaces of its own, for Explain to read. Clocks are
// fitted by content: the same segment, told by its sequence numbers, IP ID and
// timestamp, went from one tap to the other one way, others went back, and half
// the difference of the least delays is the offset (RFC 5905 8).
func Merge(w io.Writer, sources ...Source) ([]Merged, error) {
	var all []Merged
	names := map[netip.Addr]string{}
	var first map[sighting]int64
	for i, s := range sources {
		start, err := s.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, fmt.Errorf("merging %s: %w", s.Name, err)
		}
		m := Merged{Name: s.Name}
		seen := map[sighting]int64{}
		var d decoder
		err = packets(s, &m.Summary, func(_ *capture, p *record) error {
			var g segment
			if len(seen) < maxCommon && d.decode(&g, p, 0) && g.icmp == nil && g.flags&RST == 0 { // of which two may be the same to the bit
				k := sighting{g.src, g.dst, g.identity()}
				if _, ok := seen[k]; !ok {
					seen[k] = p.time
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("merging %s: %w", s.Name, err)
		}
		if i == 0 {
			first = seen
		} else {
			m.Offset, m.Common, m.OneWay = offset(first, seen)
		}
		maps.Copy(names, m.Names)
		all = append(all, m)
		if _, err := s.Seek(start, io.SeekStart); err != nil {
			return nil, fmt.Errorf("merging %s: %w", s.Name, err)
		}
	}
	rings(all)
	return all, interleave(w, sources, all, names)
}

// rings finds the files that one tap has written one after the other, as tcpdump
// -C and -G do: they have the same interfaces and no time and no segment in
// common, and their names differ in digits, or else no file has anything in
// common with another.
func rings(all []Merged) {
	apart := !slices.ContainsFunc(all, func(m Merged) bool { return m.Common > 0 })
	stem := func(name string) string { return digits.ReplaceAllString(strings.TrimSuffix(name, ".gz"), "") }
	for i := range all {
		m := &all[i]
		for _, before := range all[:i] {
			disjoint := before.Frames == 0 || m.Frames == 0 || m.First.After(before.Last) || before.First.After(m.Last)
			if before.Of == "" && m.Common == 0 && disjoint && slices.Equal(m.Interfaces, before.Interfaces) && (apart || stem(m.Name) == stem(before.Name)) {
				m.Of, m.Offset = before.Name, before.Offset
				break
			}
		}
	}
}

var digits = regexp.MustCompile(`\d+`)

type sighting struct {
	src, dst endpoint
	id       uint32
}

// hosts are two that speak with each other, the lesser address first.
type hosts [2][2]uint64

// offset says how far ahead the clock of b is.
func offset(a, b map[sighting]int64) (ahead time.Duration, common int, oneWay bool) {
	ways := map[hosts]*[2][]int64{}
	least := int64(math.MaxInt64)
	for k, t := range b {
		u, ok := a[k]
		if !ok {
			continue
		}
		pair, way := hosts{{k.src.hi, k.src.lo}, {k.dst.hi, k.dst.lo}}, 0
		if k.dst.less(&k.src) {
			pair[0], pair[1], way = pair[1], pair[0], 1
		}
		if ways[pair] == nil {
			ways[pair] = &[2][]int64{}
		}
		ways[pair][way] = append(ways[pair][way], t-u)
		least = min(least, t-u)
		common++
	}
	if common == 0 {
		return 0, 0, false
	}
	// Towards b a segment is seen there later by the path's delay, from b earlier:
	// which way is which shows in the middle of each. Of all hosts the quickest tell best.
	there, back, both := int64(math.MaxInt64), int64(math.MinInt64), false
	for _, way := range ways {
		if len(way[0]) == 0 || len(way[1]) == 0 {
			continue
		}
		slices.Sort(way[0])
		slices.Sort(way[1])
		to, from := way[0], way[1]
		if to[len(to)/2] < from[len(from)/2] {
			to, from = from, to
		}
		there, back, both = min(there, to[0]), max(back, from[len(from)-1]), true
	}
	if !both {
		return time.Duration(least), common, true
	}
	return time.Duration((there + back) / 2), common, false
}

// interleave writes the packets of all sources in the order of fitted time.
func interleave(w io.Writer, sources []Source, fits []Merged, names map[netip.Addr]string) error {
	var taps []Interface
	base := make([]int, len(sources))
	for i, m := range fits {
		if m.Of != "" {
			base[i] = base[slices.IndexFunc(fits, func(of Merged) bool { return of.Name == m.Of })]
			continue
		}
		base[i] = len(taps)
		for _, t := range m.Interfaces {
			t.Name = cmp.Or(t.Name, "tap")
			if len(sources) > 1 {
				t.Name = m.Name + ": " + t.Name
			}
			taps = append(taps, t)
		}
	}
	out, err := NewWriter(w, taps, names)
	if err != nil {
		return err
	}
	type head struct {
		c  *capture
		p  record
		ok bool
	}
	heads := make([]head, len(sources))
	next := func(i int) {
		h := &heads[i]
		if h.ok = h.c.next(&h.p) == nil; h.ok { // what stopped it is in its Summary
			h.p.time -= int64(fits[i].Offset)
		}
	}
	for i, s := range sources {
		if heads[i].c, err = openCapture(source{r: s}); err != nil {
			return fmt.Errorf("merging %s: %w", s.Name, err)
		}
		next(i)
	}
	for {
		least := -1
		for i := range heads {
			if heads[i].ok && (least < 0 || heads[i].p.time < heads[least].p.time) {
				least = i
			}
		}
		if least < 0 {
			return nil
		}
		h := &heads[least]
		comment := h.c.comment(&h.p)
		err := out.Write(Packet{Time: time.Unix(0, h.p.time), Interface: base[least] + int(h.p.iface), Data: h.p.data, OrigLen: h.p.orig, Comment: comment})
		if err != nil {
			return err
		}
		next(least)
	}
}
