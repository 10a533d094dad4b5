package tcp

import (
	"fmt"
	"io"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Comments gives what Annotate writes on a conversation's frames: each RST's
// kind, and on every frame of the proof which part of it the frame is.
func Comments(c Conversation) map[int]string {
	m := map[int]string{}
	for i, n := range c.Frames {
		m[n] = fmt.Sprintf("%s (%d of %d): %s", c.Cause, i+1, len(c.Frames), c.Text)
	}
	for _, r := range c.Resets {
		kind := fmt.Sprintf("RST %s, from %s", r.Kind, r.From)
		if m[r.Frame] != "" {
			kind += "\n" + m[r.Frame]
		}
		m[r.Frame] = kind
	}
	return m
}

// ownComment is a line of what Comments gives.
var ownComment = regexp.MustCompile(`^(?:[a-z-]+ \(\d+ of \d+\): |RST [a-z-]+, from [a-z-]+$)`)

// foreign is a comment without the lines that Comments gave it.
func foreign(comment string) string {
	if comment == "" {
		return ""
	}
	return strings.Join(slices.DeleteFunc(strings.Split(comment, "\n"), ownComment.MatchString), "\n")
}

// Annotate copies a capture to pcapng and puts comments on frames, for
// Wireshark to show, in place of those that it put there before. Names are added
// to those in the file.
func Annotate(w io.Writer, r io.Reader, comments map[int]string, names map[netip.Addr]string) (Summary, error) {
	var sum Summary
	var out *Writer
	err := packets(r, &sum, func(c *capture, p *record) (err error) {
		if out == nil {
			all := maps.Clone(c.names)
			maps.Copy(all, names)
			if out, err = NewWriter(w, nil, all); err != nil {
				return err
			}
		}
		for out.taps < len(c.seen) {
			if err := out.AddInterface(c.seen[out.taps]); err != nil {
				return err
			}
		}
		comment := foreign(c.comment(p))
		if add := comments[sum.Frames]; add != "" && comment != "" {
			comment += "\n" + add
		} else if add != "" {
			comment = add
		}
		return out.Write(Packet{Time: time.Unix(0, p.time), Interface: int(p.iface), Data: p.data, OrigLen: p.orig, Comment: comment})
	})
	return sum, ownError(err)
}
