package pdf

// class is what a byte is to the syntax (ISO 32000-2 §7.2.3).
type class uint8

const (
	regular class = iota
	space
	delimiter
)

var classes = func() (t [256]class) {
	for _, c := range []byte{0, '\t', '\n', '\f', '\r', ' '} {
		t[c] = space
	}
	for _, c := range []byte("()<>[]{}/%") {
		t[c] = delimiter
	}
	return t
}()

func isDelimiter(c byte) bool { return classes[c] == delimiter }

func isSpace(c byte) bool { return classes[c] == space }
