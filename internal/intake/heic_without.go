//go:build !nodynamic

package intake

const readsHEIC = false

func prepareHEIC() error { return nil }

// readHEIC refuses: this binary was built without the decoder, see heic.go.
func readHEIC(name string, _ []byte) (Page, error) {
	return Page{}, errHEIC(name)
}
