package stamp

import (
	"bytes"

	"github.com/saoy/saoy/internal/link"
)

// someCode is a verification code in its canonical form.
var someCode = func() string {
	c, err := link.NewCode(bytes.NewReader(bytes.Repeat([]byte{0x5A, 0xC3, 0x17}, 16)))
	if err != nil {
		panic(err)
	}
	return c.String()
}()
