package tcp

// tlsTurn is what is known of the client's last turn in TLS.
type tlsTurn uint32

const (
	tlsFinished tlsTurn = 1 << iota // the client's part of the handshake is over
	tlsRequest                      // in its turn now the client has sent a record with room for a request
	tlsBefore                       // and so it has in an earlier one
	tlsSpoke                        // the client has sent more than its handshake and a good-bye, ever
)

// finishedTLS are the lengths of a record of TLS 1.3 with Finished (RFC 8446 4.4.4): that
// of its hash, 4 bytes, content type and tag.
var finishedTLS = [...]int{32 + 4 + 17, 48 + 4 + 17}

// begin takes in that the client begins its turn.
func (t tlsTurn) begin() tlsTurn {
	if t&tlsRequest != 0 {
		t |= tlsBefore
	}
	return t &^ tlsRequest
}

// add takes in new data of the client; old says that it is TLS 1.2 or older, in which only
// what is spoken inside comes as data.
func (t tlsTurn) add(b []byte, old bool) tlsTurn {
	if old {
		t |= tlsFinished
	}
	if t&tlsFinished != 0 && goesOn(b) {
		t |= tlsRequest | tlsSpoke // goes on with a record
	}
	eachRecord(b, func(kind byte, n int) {
		switch {
		case kind != recordData:
		case t&tlsFinished == 0:
			if n == finishedTLS[0] || n == finishedTLS[1] {
				t |= tlsFinished
			}
		case n >= requestTLS:
			t |= tlsRequest | tlsSpoke
		case old || n != alertLengths[0]:
			t |= tlsSpoke
		}
	})
	return t
}

// turnTLS is what is known of the client's last turn.
func (f *flow) turnTLS() tlsTurn { return tlsTurn(f.http.reqSeq) }
