package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rstlab/lab/tcp"
)

// TestSinceMidnight: a time of day is one of the capture's first day.
func TestSinceMidnight(t *testing.T) {
	evening := time.Date(2026, 11, 1, 23, 40, 0, 0, time.Local)
	e := explain{since: "23:50"}
	for after, want := range map[time.Duration]bool{5 * time.Minute: false, 15 * time.Minute: true, 30 * time.Minute: true} {
		e.first = time.Time{}
		_, err := e.wanted(tcp.Conversation{Start: evening, End: evening})
		assert.NoError(t, err)
		got, err := e.wanted(tcp.Conversation{Start: evening.Add(after), End: evening.Add(after)})
		assert.NoError(t, err)
		assert.Equal(t, want, got, "%s after 23:40", after)
	}
}
