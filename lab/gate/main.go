// Command gate forces the race between a server's FIN and a client's request.
//
// On a network it is a matter of microseconds: the server closes an idle
// connection, and before its FIN has come the client sends a request, which is
// answered with RST. What the client's program sees depends on which of FIN and
// RST its kernel gets, and when. The gate sits in the network namespace of the
// client, between the wire and TCP: the kernel hands it every FIN and RST that
// comes from the server's port and every segment with data that leaves to it
// (NFQUEUE), and the gate lets them through in one order:
//
//	-order "FIN first"  the FIN waits until data has left and the RST has come,
//	                    then it is delivered, and the RST behind it
//	-order "RST first"  the FIN waits until the RST has been delivered, then it
//	                    is dropped
//	-order "FIN lost"   the FIN is dropped, and so is each copy
//
// In the first two orders a request that comes before the FIN waits for it, on a
// connection that was there before the gate: it leaves when the FIN has come, so
// that the two cross however slow the machine is.
//
// A segment waits for another segment, never for a time. While a FIN waits, the
// copies of it that the server sends again are dropped, and after it has been
// delivered too: the kernel has it. Data in the same segment as a FIN shares
// its fate, and so the gate is for connections that are closed when idle. A FIN
// that answers one of ours is held like any other. IPv4 and IPv6 alike.
//
// What it does it tells on standard output (package protocol). The first line
// is "ready"; from then on it is in force for every connection, those that
// exist too. A capture in the same namespace has what comes before the gate
// has it, and what leaves after: there the FIN is before the request in every
// order. Which came to TCP first, only the events tell.
//
// It ends with its standard input, or by SIGTERM, and takes its rules away.
// What it holds then the kernel drops, and the server sends its FIN again. One
// gate fits in a network namespace. It takes CAP_NET_ADMIN. Where the kernel
// lacks what it needs it says what, and exits with 127.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"rstlab/lab/gate/protocol"
)

// missing is something that the kernel, or the container, does not have.
type missing string

func (m missing) Error() string { return string(m) }

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "gate:", err)
	var m missing
	if errors.As(err, &m) {
		os.Exit(127)
	}
	os.Exit(1)
}

func run(args []string, in io.Reader, out io.Writer) (err error) {
	flags := flag.NewFlagSet("gate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	order := flags.String("order", "", "")
	port := flags.Uint("port", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	g, err := newGate(*order)
	if err != nil {
		return err
	}
	if *port < 1 || *port > 65535 || flags.NArg() > 0 {
		return errors.New(`usage: gate -order "FIN first" -port 8080`)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan error, 2)
	go func() {
		_, _ = io.Copy(io.Discard, in)
		ended <- nil
	}()

	if err := remove(); err != nil {
		return err
	}
	q, err := bind() // before the rules: with bypass, what nobody reads passes
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if err := install(uint16(*port)); err != nil {
		return err
	}
	tell := json.NewEncoder(out)
	if err := tell.Encode(protocol.Event{Event: protocol.Ready, Time: time.Now().UnixNano()}); err != nil {
		return err
	}
	go func() { ended <- g.keep(q, tell) }()
	select {
	case <-stop:
		return nil
	case err := <-ended:
		return err
	}
}

// keep decides on what comes through the queue, until that fails.
func (g *gate) keep(q *queue, tell *json.Encoder) error {
	for {
		segments, err := q.next()
		if err != nil {
			return err
		}
		for _, s := range segments {
			steps := g.see(s)
			for i := range steps {
				if steps[i].do != hold {
					if err := q.verdict(steps[i].id, steps[i].do); err != nil {
						return err
					}
				}
				steps[i].event.Time = time.Now().UnixNano()
			}
			for _, s := range steps { // only now: a reader may be slow
				if s.event.Event == "" {
					continue
				}
				if err := tell.Encode(s.event); err != nil {
					return err
				}
			}
		}
	}
}
