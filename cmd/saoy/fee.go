package main

import (
	"time"

	"github.com/saoy/saoy/internal/fee"
)

// feeOf returns the fee in đồng for copies of an original, by the statutory tariff. Where no
// tariff is in force it is 0: a copy does not wait for one.
func feeOf(pages, copies int, day time.Time) int64 {
	due, err := fee.Statutory().Due(day, pages, copies, "")
	if err != nil {
		return 0
	}
	return int64(due)
}
