package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"rstlab/lab/agent/protocol"
)

// follower reads a file as it grows: inotify(7) tells when.
type follower struct {
	file, notify *os.File
	once         sync.Once
}

func (f *follower) end() {
	f.once.Do(func() {
		f.notify.Close()
		f.file.Close()
	})
}

// follow tells the lines of a file, which is made if it is not there.
func (h *host) follow(name, path string) error {
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		file.Close()
		return fmt.Errorf("inotify_init1: %w", err)
	}
	f := &follower{file: file, notify: os.NewFile(uintptr(fd), "inotify")}
	if _, err := syscall.InotifyAddWatch(fd, path, syscall.IN_MODIFY); err != nil {
		f.end()
		return fmt.Errorf("inotify_add_watch %s: %w", path, err)
	}
	h.mu.Lock()
	h.followed = append(h.followed, f)
	h.mu.Unlock()
	go func() {
		defer f.end()
		var begun []byte // a line that is not whole yet
		events := make([]byte, 4096)
		for r := bufio.NewReader(file); ; {
			line, err := r.ReadBytes('\n')
			begun = append(begun, line...)
			if err == nil {
				h.say(protocol.Event{Name: name, Stream: protocol.Stdout, Data: bytes.TrimSuffix(begun, []byte("\n"))})
				begun = nil
				continue
			}
			if err != io.EOF {
				return
			}
			if _, err := f.notify.Read(events); err != nil {
				return
			}
		}
	}()
	return nil
}
