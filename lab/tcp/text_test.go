package tcp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestClockGoesBack puts the clock of each script six seconds back, at every
// frame: no time in the words or the numbers is below zero.
func TestClockGoesBack(t *testing.T) {
	below := regexp.MustCompile(`-\d`)
	for _, tt := range scripts {
		whole := build(tt.script)
		for at := 1; at < len(whole); at++ {
			ps := slices.Clone(whole)
			for i := at; i < len(ps); i++ {
				ps[i].Time = ps[i].Time.Add(-6 * time.Second)
			}
			cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{})
			for _, c := range cs {
				if below.MatchString(c.Text) || c.Idle < 0 || c.Reuse < 0 || c.LongestRest < 0 || c.End.Before(c.Start) {
					t.Errorf("%s, back at frame %d: %+v", tt.name, at+1, c)
				}
			}
		}
	}
	if s := fmt.Sprint("a request ", span(-time.Second), " later"); strings.Contains(s, "-") {
		t.Error(s)
	}
}

// TestDecidedEarly: a verdict that did not wait says so, whatever it is.
func TestDecidedEarly(t *testing.T) {
	halfClosed := exchanged(line{3, 'S', "F.", sOK, cReq, "", nil}, line{3.01, 'C', ".", cReq, sOK + 1, "", nil})
	cs, _ := explainBytes(t, pcapng(t, build(append(halfClosed, line{4, 'c', "S", 0, 0, "", nil})), nil), Options{MaxFlows: 1})
	if len(cs) != 2 || !cs[0].DecidedEarly || cs[0].Cause != CauseHalfClosed || !strings.Contains(cs[0].Text, "It was decided early") {
		t.Errorf("%+v", cs)
	}
}
