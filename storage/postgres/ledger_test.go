package postgres_test

import (
	"testing"

	"github.com/saoy/saoy/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.LedgerSuite(t, func(t testing.TB, sealAtOnce bool) storagetest.Office {
		_, o := storagetest.NewOffice(t, sealAtOnce)
		return o
	})
}
