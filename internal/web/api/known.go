package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
)

// maxJSON bounds a body in JSON; the largest, a batch of look-ups, is some 300 KB.
const maxJSON = 1 << 20

// bodyOf returns the type of the body in JSON of an operation, which the specification closes
// with additionalProperties: false. The generated code would pass over what it does not know:
// a misspelt field would silently be as if it had not been sent.
func bodyOf(operation string) any {
	switch operation {
	case "POST /requests":
		return new(CreateRequestJSONRequestBody)
	case "POST /copies/{id}/submission":
		return new(SubmitCopyJSONRequestBody)
	case "POST /certifications":
		return new(CertifyJSONRequestBody)
	case "POST /seals":
		return new(SealJSONRequestBody)
	case "POST /verifications":
		return new(VerifyJSONRequestBody)
	}
	return nil
}

// known refuses a body in JSON that has a field the specification does not know, or
// goes on after its end.
func (a *API) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := bodyOf(operation(r))
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if body == nil || r.Method != http.MethodPost || kind != "application/json" {
			next.ServeHTTP(w, r)
			return
		}
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
		if err == nil {
			err = strictly(b, body)
		}
		if err != nil {
			a.badRequest(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		next.ServeHTTP(w, r)
	})
}

// strictly reads exactly one value into body.
func strictly(b []byte, body any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(body); err != nil {
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return invalid(strings.Trim(field, `"`), "API không có trường này. Hãy đối chiếu với openapi.yaml.", "The API does not have this field. Compare it with openapi.yaml.")
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return certcopy.Errorf(certcopy.Invalid, "", err, certcopy.Msg("Sau nội dung JSON còn dữ liệu thừa.", "There is more after the JSON value."))
	}
	return nil
}
