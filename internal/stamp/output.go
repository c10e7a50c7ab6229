package stamp

import (
	"bytes"
	"compress/zlib"
	"io"

	"github.com/saoy/saoy/signer/pdf"
)

// output is a PDF being written, with one compressor for all its streams: a new one costs
// most of a megabyte.
type output struct {
	*pdf.Writer
	packed bytes.Buffer
	z      *zlib.Writer
}

func newOutput(w io.Writer) *output {
	return &output{Writer: pdf.NewWriter(w, "1.7"), z: zlib.NewWriter(nil)}
}

// addCompressed puts a Flate stream. The default level costs a tenth of the best one's time
// and, on the mask of a seal, six hundredths more bytes.
func (w *output) addCompressed(d pdf.Dict, data []byte) (pdf.Ref, error) {
	w.packed.Reset()
	w.z.Reset(&w.packed)
	if _, err := w.z.Write(data); err != nil {
		return pdf.Ref{}, err
	}
	if err := w.z.Close(); err != nil {
		return pdf.Ref{}, err
	}
	d = d.Clone()
	d.Set("Filter", pdf.Name("FlateDecode"))
	return w.Add(pdf.NewStream(d, w.packed.Bytes())) // written before the buffer is used again
}
