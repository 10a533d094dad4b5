package tcp

import (
	"math/bits"
)

// table finds the flow of a segment. Flows live in chunks that never move and
// are reused; chains of a hash table link them by index, so that a flow costs
// its own size and eight bytes.
type table struct {
	heads  []uint32 // index+1 of the first flow of each chain
	chunks []*[chunkFlows]flow
	free   uint32 // index+1 of the first free flow
	used   uint32 // flows ever handed out
	live   int
	hand   uint32 // where oldest looks next
}

const chunkFlows = 512

// mix is one round of wyhash: a 64 by 64 bit product, folded.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return hi ^ lo
}

// hash is the same for both directions, and seeded, lest a hostile capture fill
// one chain.
func hash(seed uint64, a, b *endpoint) uint64 {
	return mix(a.lo^seed, a.hi^uint64(a.port)) + mix(b.lo^seed, b.hi^uint64(b.port))
}

func (t *table) len() int { return t.live }

func (t *table) index(f *flow) uint32 { return f.self }

// at gives the flow of an index, nil when the slot is free.
func (t *table) at(i uint32) *flow {
	f := &t.chunks[i/chunkFlows][i%chunkFlows]
	if f.first == 0 {
		return nil
	}
	return f
}

func (t *table) find(s *segment) *flow {
	for i := t.heads[s.hash&uint64(len(t.heads)-1)]; i != 0; {
		f := &t.chunks[(i-1)/chunkFlows][(i-1)%chunkFlows]
		if f.end[s.dir] == s.src && f.end[1-s.dir] == s.dst {
			return f
		}
		i = f.next
	}
	return nil
}

func (t *table) insert(seed, h uint64) *flow {
	if t.live >= len(t.heads) {
		t.grow(seed)
	}
	var i uint32
	if t.free != 0 {
		i = t.free - 1
		t.free = t.chunks[i/chunkFlows][i%chunkFlows].next
	} else {
		if t.used%chunkFlows == 0 {
			t.chunks = append(t.chunks, new([chunkFlows]flow))
		}
		i = t.used
		t.used++
	}
	f := &t.chunks[i/chunkFlows][i%chunkFlows]
	*f = flow{self: i}
	head := &t.heads[h&uint64(len(t.heads)-1)]
	f.next, *head = *head, i+1
	t.live++
	return f
}

func (t *table) remove(f *flow, h uint64) {
	link := &t.heads[h&uint64(len(t.heads)-1)]
	for *link != f.self+1 {
		i := *link - 1
		link = &t.chunks[i/chunkFlows][i%chunkFlows].next
	}
	*link = f.next
	i := f.self
	*f = flow{next: t.free}
	t.free = i + 1
	t.live--
}

func (t *table) grow(seed uint64) {
	t.heads = make([]uint32, 2*len(t.heads))
	t.each(func(f *flow) {
		head := &t.heads[hash(seed, &f.end[0], &f.end[1])&uint64(len(t.heads)-1)]
		f.next, *head = *head, f.self+1
	})
}

func (t *table) each(do func(*flow)) {
	for i := range t.used {
		if f := t.at(i); f != nil {
			do(f)
		}
	}
}

// oldestOf is how many flows oldest compares.
const oldestOf = 64

// oldest finds a flow that has been idle for long: the longest idle of the next
// few, in the order of the table.
func (t *table) oldest() *flow {
	var found *flow
	for n := 0; n < oldestOf && n < int(t.used) || found == nil; n++ {
		if t.hand++; t.hand >= t.used {
			t.hand = 0
		}
		f := t.at(t.hand)
		if f != nil && (found == nil || f.latest() < found.latest()) {
			found = f
		}
	}
	return found
}

// past remembers, in constant memory, connections that were delivered, so that
// their stragglers do not look like new ones: in each slot the newest few whose hash
// leads there.
type past struct {
	slots [][4]tomb
}

type tomb struct {
	hash uint64
	base [2]uint32 // last sequence numbers of each side
	when int64
}

const (
	pastSlots = 1 << 14
	pastFor   = int64(120e9) // a FIN is sent again for up to 108 s (measured, Linux)
	pastNear  = 1 << 20      // bytes around the last sequence number that count as the old connection's
)

func (p *past) remember(h uint64, f *flow) {
	if p.slots == nil {
		p.slots = make([][4]tomb, pastSlots)
	}
	slot := &p.slots[h%pastSlots]
	oldest := &slot[0]
	for i := range slot {
		if t := &slot[i]; t.hash == h {
			oldest = t
			break
		} else if t.when < oldest.when {
			oldest = t
		}
	}
	*oldest = tomb{hash: h, when: f.latest(), base: [2]uint32{f.side[0].seqAt(), f.side[1].seqAt()}}
}

// straggler says whether a segment without a flow belongs to one delivered.
func (p *past) straggler(h uint64, s *segment) bool {
	if p.slots == nil || s.flags&(SYN|ACK) == SYN {
		return false
	}
	for i := range p.slots[h%pastSlots] {
		if t := &p.slots[h%pastSlots][i]; t.hash == h && s.time-t.when <= pastFor {
			near := int32(s.seq - t.base[s.dir])
			return near > -pastNear && near < pastNear || s.flags&RST != 0
		}
	}
	return false
}

// seqAt is the sequence number that the side would use next.
func (s *side) seqAt() uint32 { return s.base + uint32(s.nxt) }

// latest is the time of the flow's newest segment.
func (f *flow) latest() int64 { return max(f.side[0].last.time(), f.side[1].last.time(), f.start) }

// seen is when anything of it was seen last, an RST too.
func (f *flow) seen() int64 {
	if f.more == nil {
		return f.latest()
	}
	return max(f.latest(), f.more.resetAt)
}
