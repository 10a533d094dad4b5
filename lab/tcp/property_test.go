package tcp

import (
	"slices"
	"testing"
)

// weaker says whether a verdict may stand for another when frames are missing.
func weaker(got, declared Cause) bool {
	switch got {
	case declared, CauseUnexplained, CauseHalfClosed, CauseOpen:
		return true
	case CauseFlowForgotten: // by its definition: "or its FIN was lost before the tap"
		return declared == CauseStaleCrossing || declared == CauseStaleFinLost
	case CauseAborted, CauseRefused: // a forger is named only with evidence
		return declared == CauseRejected
	}
	return false
}

// TestMissingFrames drops each frame, and each pair, of each script: the
// verdict is the declared one or weaker, never another.
func TestMissingFrames(t *testing.T) {
	kept, all := 0, 0
	for _, tt := range scripts {
		ps := build(tt.script)
		for i := range ps {
			for j := i; j < len(ps); j++ {
				rest := slices.Delete(slices.Clone(ps), j, j+1)
				if i != j {
					rest = slices.Delete(rest, i, i+1)
				}
				if len(rest) == 0 {
					continue
				}
				cs, _ := explainBytes(t, pcapng(t, rest, nil), Options{})
				if len(cs) == 0 && tt.cause == CauseUnreachable {
					continue
				}
				if len(cs) != 1 {
					t.Fatalf("%s without %d, %d: %d conversations", tt.name, i+1, j+1, len(cs))
				}
				if i != j { // two of a dozen is far more than a capture loses
					continue
				}
				all++
				if cs[0].Cause == tt.cause {
					kept++
				}
				if tt.frail == i+1 {
					continue
				}
				if !weaker(cs[0].Cause, tt.cause) {
					t.Errorf("%s (%s) without frame %d: %s: %s", tt.name, tt.cause, i+1, cs[0].Cause, cs[0].Text)
				}
			}
		}
	}
	t.Logf("%d of %d keep their cause with one frame missing", kept, all)
}

// TestSnapLength cuts the payload off: the same, or weaker.
func TestSnapLength(t *testing.T) {
	for _, snap := range []int{54, 60, 84, 96} {
		kept := 0
		for _, tt := range scripts {
			ps := build(tt.script)
			for i := range ps {
				ps[i].Data = ps[i].Data[:min(len(ps[i].Data), snap)]
			}
			cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{})
			if cs[0].Cause == tt.cause {
				kept++
			} else if !weaker(cs[0].Cause, tt.cause) {
				t.Errorf("%s (%s) cut to %d: %s: %s", tt.name, tt.cause, snap, cs[0].Cause, cs[0].Text)
			}
		}
		t.Logf("%d of %d keep their cause when cut to %d bytes", kept, len(scripts), snap)
	}
}
