package register

import (
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/storage"
)

// OfCopy returns what every leaf of a numbered copy has; its kind's own fields and its time
// are still to be set.
func OfCopy(c certcopy.Copy, kind storage.LeafKind) (Leaf, error) {
	code, err := link.ParseCode(c.Code)
	if err != nil {
		return Leaf{}, err
	}
	return Leaf{Kind: kind, Agency: c.Agency, Book: c.Number.Book, Year: c.Number.Year,
		Number: c.Number.Seq, CodeHash: code.Hash()}, nil
}

// Maker returns the bytes of the leaf for the time at which it is appended.
func (l Leaf) Maker() storage.LeafMaker {
	return func(at time.Time) ([]byte, error) {
		l.Time = at
		return l.Marshal()
	}
}
