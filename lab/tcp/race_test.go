//go:build race

package tcp

func init() { slow = true }
