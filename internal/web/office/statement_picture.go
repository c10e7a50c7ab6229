package office

import (
	"io"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/storage"
)

// pictureView is an image of the agency's copies: the seal, or a certifier's signature.
type pictureView struct {
	Account account.Account // without ID: the seal
	Picture desk.Picture
	There   bool
}

// Name is how addresses and forms call the picture.
func (v pictureView) Name() string {
	if v.Account.ID == "" {
		return "seal"
	}
	return string(v.Account.ID)
}

// maxPictureForm bounds the form with an image.
const maxPictureForm = 3 << 20

// pictureViews lists the seal and the signature of everybody who may certify, there or not.
func (o *Office) pictureViews(r *http.Request) ([]pictureView, error) {
	people, err := o.desk.Accounts(r.Context(), who(r).Agency)
	if err != nil {
		return nil, err
	}
	pictures, err := o.desk.Pictures(r.Context(), who(r).Agency)
	if err != nil {
		return nil, err
	}
	views := []pictureView{{}}
	for _, a := range people {
		if a.Has(certcopy.Certifier) {
			views = append(views, pictureView{Account: a})
		}
	}
	for i := range views {
		at := slices.IndexFunc(pictures, func(p desk.Picture) bool { return p.Account == views[i].Account.ID })
		if views[i].There = at >= 0; views[i].There {
			views[i].Picture = pictures[at]
		}
	}
	return views, nil
}

// pictureOf returns the view that an address names.
func pictureOf(views []pictureView, r *http.Request) (pictureView, error) {
	i := slices.IndexFunc(views, func(v pictureView) bool { return v.Name() == chi.URLParam(r, "picture") })
	if i < 0 {
		return pictureView{}, storage.ErrNotFound
	}
	return views[i], nil
}

func (o *Office) pictureImage(w http.ResponseWriter, r *http.Request) error {
	views, err := o.pictureViews(r)
	if err != nil {
		return err
	}
	v, err := pictureOf(views, r)
	if err != nil || !v.There {
		return storage.ErrNotFound
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(v.Picture.PNG) // a broken connection shows in the access log
	return nil
}

// addPicture shows an image on a sample page, or records it for the copies stamped from now on.
func (o *Office) addPicture(w http.ResponseWriter, r *http.Request) error {
	page, err := o.statementPage(r)
	if err != nil {
		return err
	}
	v, err := pictureOf(page.Pictures, r)
	if err != nil {
		return err
	}
	if err := r.ParseMultipartForm(maxPictureForm); err != nil {
		return badForm(err)
	}
	file, err := readPicture(r, v)
	if err == nil && r.PostForm.Get("act") == "look" {
		var pdf []byte
		if pdf, err = o.sample(r, page.Now, v.puts(file)); err == nil {
			return o.drawSample(w, r, pdf)
		}
	}
	if err == nil {
		err = o.storePicture(r, v, page.Now, file)
	}
	if err != nil {
		return o.again(w, r, err, "statement", page, &page.Error)
	}
	http.Redirect(w, r, Prefix+"/statement?done=saved", http.StatusSeeOther)
	return nil
}

// puts returns what puts the image in its place among the facts of a sample.
func (v pictureView) puts(file []byte) func(*stamp.Facts) {
	return func(f *stamp.Facts) {
		if v.Account.ID == "" {
			f.Seal = file
			return
		}
		f.Official = certcopy.Official{Name: v.Account.Name, Title: v.Account.Title}
		f.Signature = file
	}
}

// readPicture reads the uploaded image and checks size, ground and ink.
func readPicture(r *http.Request, v pictureView) ([]byte, error) {
	f, _, err := r.FormFile("png")
	if err != nil {
		return nil, certcopy.Errorf(certcopy.Invalid, "png", err, certcopy.Msg("Chưa chọn tệp PNG nào. Hãy chọn tệp.", "No PNG file is chosen. Choose one."))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPictureForm))
	if err != nil {
		return nil, badForm(err)
	}
	if v.Account.ID == "" {
		return b, stamp.CheckSeal(b)
	}
	return b, stamp.CheckSignature(b)
}

// storePicture asks for the second factor and records.
func (o *Office) storePicture(r *http.Request, v pictureView, now stamp.Template, file []byte) error {
	if err := o.prove(r, actOn("picture "+v.Name()+" "+certcopy.DigestOf(file).String())); err != nil {
		return err
	}
	if _, err := o.sample(r, now, v.puts(file)); err != nil {
		return err
	}
	return o.desk.AddPicture(r.Context(), who(r).Agency, desk.Picture{Account: v.Account.ID, PNG: file, By: who(r).ID})
}
