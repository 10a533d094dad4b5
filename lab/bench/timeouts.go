package bench

import "time"

// Timeouts are every wait of a bench. A wait ends when its event comes; the
// timeout is when it is given up, with an error that says what did not come.
type Timeouts struct {
	Engine  time.Duration // the engine answers its first call
	Up      time.Duration // a topology stands
	Listen  time.Duration // a server listens after its start
	Agent   time.Duration // an agent answers
	Request time.Duration // a client tells the outcome of a request
	Settle  time.Duration // what is declared has been seen, after the last step
	Quiet   time.Duration // no segment for so long: the exchange is over (longer than a delayed ACK, 40 ms)
	Down    time.Duration // a topology is gone
}

// DefaultTimeouts returns the timeouts, each multiplied by scale. A slow
// machine needs more than 1; only Quiet is spent in a run that succeeds, so it
// is not scaled.
func DefaultTimeouts(scale float64) Timeouts {
	of := func(d time.Duration) time.Duration { return time.Duration(float64(d) * scale) }
	return Timeouts{
		Engine:  of(10 * time.Second),
		Up:      of(60 * time.Second),
		Listen:  of(15 * time.Second),
		Agent:   of(30 * time.Second),  // longer than Listen, which an agent waits for
		Request: of(150 * time.Second), // nginx waits 60 s by itself, for a connection and then for an answer
		Settle:  of(3 * time.Second),
		Quiet:   100 * time.Millisecond,
		Down:    of(20 * time.Second),
	}
}
