package tcp

import "slices"

// copyWindow is how far apart two captures of one segment by the same tap may
// be: "any" sees a packet on each device it crosses, a mirror port twice.
const copyWindow = 2e6 // ns

// copied says whether the frame shows a segment that was already seen: by
// another tap, or twice by the same.
func (f *flow) copied(x *explainer, s *segment, d int, off, end, ack int64) bool {
	me := &f.side[d]
	id := s.id
	if me.home < 0 {
		me.home = s.tap
	}
	if s.tap != me.home {
		news := end > me.nxt || !me.has(sideSeen) || s.flags&ACK != 0 && (!me.has(sideAcked) || ack > me.ack)
		if s.flags&RST != 0 {
			news = !f.hasReset(d, off)
		}
		if s.flags&FIN != 0 && me.fin == never {
			news = true
		}
		if news {
			ids := &f.trouble(x).tapIDs[d]
			ids[1], ids[0] = ids[0], id
			return false
		}
		if !f.moved(s, d) {
			return true
		}
		me.home, me.ids = s.tap, [2]uint32{}
		if f.more != nil {
			f.more.tapIDs[d] = [2]uint32{}
		}
	}
	if f.more != nil && (f.more.tapIDs[d][0] == id || f.more.tapIDs[d][1] == id) {
		for i, v := range f.more.tapIDs[d] {
			if v == id {
				f.more.tapIDs[d][i] = 0
			}
		}
		return true
	}
	if i := slices.Index(me.ids[:], id); i >= 0 && s.time-f.latestOf(d) < copyWindow {
		switch {
		case s.ipID != 0 || s.length > 0 || s.flags&(SYN|FIN) != 0:
			f.flags |= flowTwice
			return true
		case f.has(flowTwice):
			// Without an IP ID two RSTs, or two bare ACKs, look the same though
			// they are two: the next one is another.
			me.ids[i] = 0
			return true
		}
	}
	me.ids[1], me.ids[0] = me.ids[0], id
	return false
}

// moved says whether a segment that shows nothing new at another tap than the
// side's home is no late copy, but a repetition that home has not seen: the flow
// goes another way now. So it is where this tap has shown what home did not; and
// where the two are devices of one host, which copies cross at once.
func (f *flow) moved(s *segment, d int) bool {
	me := &f.side[d]
	if s.time-f.latestOf(d) < promptly || slices.Contains(me.ids[:], s.id) {
		return false
	}
	if s.tap&(maxInterfaces-1) == me.home&(maxInterfaces-1) {
		return true
	}
	return f.more != nil && f.more.tapIDs[d][0] != 0 && !slices.Contains(f.more.tapIDs[d][:], s.id)
}

// identity is a hash over what a segment keeps on its way: two frames with the
// same one show the same segment, not a retransmission, which has another IP ID
// or timestamp.
func (s *segment) identity() uint32 {
	h := mix(uint64(s.seq)<<32|uint64(s.ack), uint64(s.flags)<<56|uint64(s.window)<<40|uint64(s.ipID)<<24|uint64(uint32(s.length))&0xffffff)
	return uint32(mix(h, uint64(s.stamp))) | 1
}

// latestOf is when side d was last seen, by an RST too.
func (f *flow) latestOf(d int) int64 {
	t := f.side[d].last.time()
	if f.more != nil {
		for _, r := range f.more.resets {
			if int(r.from) == d {
				t = max(t, r.at.time())
			}
		}
	}
	return t
}

// resetBy says whether side d has sent an RST.
func (f *flow) resetBy(d int) bool {
	return f.more != nil && slices.ContainsFunc(f.more.resets, func(r reset) bool { return int(r.from) == d })
}

func (f *flow) hasReset(d int, off int64) bool {
	if f.more == nil {
		return false
	}
	for _, r := range f.more.resets {
		if int(r.from) == d && r.off == off {
			return true
		}
	}
	return false
}
