package tcp

import "testing"

// TestTransferCodings: the last must be chunked, and only the last, in however many
// lines they stand (RFC 9112 6.1).
func TestTransferCodings(t *testing.T) {
	for fields, good := range map[string]bool{
		"Transfer-Encoding: chunked\r\n":                               true,
		"transfer-encoding: gzip , Chunked\r\n":                        true,
		"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n":    true,
		"Transfer-Encoding: gzip\r\n":                                  false,
		"Transfer-Encoding: chunked, gzip\r\n":                         false,
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n":    false,
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n": false,
	} {
		var m message
		if m.read([]byte("HTTP/1.1 200 OK\r\n" + fields + "\r\n")); m.bad == good || good && !m.chunked {
			t.Errorf("%q: chunked %v, bad %v", fields, m.chunked, m.bad)
		}
	}
}
