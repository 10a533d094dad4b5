package bench

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rstlab/lab/agent/protocol"
)

// TestStuck: an agent that does not answer in time is ended, and the error says where
// it was; so does every later one of that host.
func TestStuck(t *testing.T) {
	e, topology, images := real(t)
	h := stand(t, e, topology, images).hosts["backend"]
	h.timeouts.Agent = 200 * time.Millisecond
	const where = "host backend: run: the agent did not answer within 200ms; it was in "
	ctx := context.WithoutCancel(t.Context())
	_, err := h.ask(ctx, protocol.Command{Do: protocol.Run, Argv: []string{"sleep", "60"}})
	assert.ErrorContains(t, err, where)
	assert.ErrorContains(t, err, "(*host).run [")
	assert.ErrorContains(t, err, "(*host).obey [")
	_, err = h.ask(ctx, protocol.Command{Do: protocol.Destroy})
	assert.ErrorContains(t, err, "backend")
	assert.ErrorContains(t, h.goneError(), where)
}

func TestGoroutines(t *testing.T) {
	assert.Equal(t, []string{"(*host).listening [IO wait, 1 minutes]", "diag.ask [IO wait, 1 minutes]", "main [select]"}, goroutines(`SIGQUIT: quit
PC=0x47f0e1 m=0 sigcode=0

goroutine 0 gp=0x9a3a60 m=0 mp=0x9a4920 [idle]:
runtime.futex(0x9a4a60, 0x80, 0x0, 0x0, 0x0, 0x0)
	/usr/local/go/src/runtime/sys_linux_amd64.s:558 +0x21

goroutine 1 gp=0xc000002380 m=nil [select]:
runtime.gopark(0xc0000b9e88?, 0x2?, 0x0?, 0x0?, 0xc0000b9e4c?)
	/usr/local/go/src/runtime/proc.go:462 +0xce
main.main()
	/src/lab/agent/main.go:20 +0x1a5

goroutine 7 gp=0xc000003180 m=nil [IO wait, 1 minutes]:
internal/poll.runtime_pollWait(0x7f0a6c2b1400, 0x72)
	/usr/local/go/src/runtime/netpoll.go:351 +0x85
main.diag.ask({0xc000012030}, 0x14, 0x300, 0x400, {0x2, 0x0, {}})
	/src/lab/agent/sockets.go:90 +0x1c5
main.(*host).listening(0xc000010000, {0xc00001a0c0, 0x9})
	/src/lab/agent/conducted.go:398 +0x5c

goroutine 8 gp=0xc000003340 m=nil [IO wait, 1 minutes]:
main.(*host).listening(0xc000010000, {0xc00001a0c0, 0x9})
	/src/lab/agent/conducted.go:398 +0x5c
created by main.(*host).obey in goroutine 1
	/src/lab/agent/conducted.go:110 +0x1a5
rax    0xca
`))
	assert.Empty(t, goroutines(""))
}
