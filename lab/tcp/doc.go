// Package tcp turns captures into verdicts: packets into segments, segments
// into conversations, and each conversation into how it ended, with the frames
// that prove it. It is pure: an io.Reader in, values out.
package tcp
