package office

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/web"
)

// maxUploadBytes bounds one upload of several files. It is far above the limit of one file, so
// that a file that is too large is refused by its name and the others are kept.
const maxUploadBytes = 8 * certcopy.MaxUploadBytes

// route is one line of the table: the only place where it is said who may do what.
type route struct {
	method, pattern string
	roles           []certcopy.Role // any of them; anyone: without signing in
	handle          web.HandlerFunc
	maxBody         int64 // 0: an ordinary form
}

func (o *Office) routes() []route {
	var (
		anyone   []certcopy.Role
		signedIn = []certcopy.Role{certcopy.Clerk, certcopy.Certifier, certcopy.SealKeeper, certcopy.Admin, certcopy.Auditor}
		flow     = []certcopy.Role{certcopy.Clerk, certcopy.Certifier, certcopy.SealKeeper} // who may see papers
		clerk    = []certcopy.Role{certcopy.Clerk}
		certify  = []certcopy.Role{certcopy.Certifier}
		examine  = []certcopy.Role{certcopy.Clerk, certcopy.Certifier}
		seal     = []certcopy.Role{certcopy.SealKeeper}
		end      = []certcopy.Role{certcopy.Certifier, certcopy.Admin}
		admin    = []certcopy.Role{certcopy.Admin}
		inspect  = []certcopy.Role{certcopy.Auditor}
	)
	return []route{
		{"GET", "/login", anyone, o.loginForm, 0},
		{"POST", "/login", anyone, o.login, 0},
		{"POST", "/logout", anyone, o.logout, 0},

		{"GET", "/", signedIn, o.home, 0},
		{"GET", "/search", signedIn, o.search, 0},
		{"GET", "/password", signedIn, o.passwordForm, 0},
		{"POST", "/password", signedIn, o.changePassword, 0},

		{"GET", "/requests/new", clerk, o.requestForm, 0},
		{"POST", "/requests/new", clerk, o.receive, 0},
		{"GET", "/requests/{request}", signedIn, o.showRequest, 0},
		{"POST", "/requests/{request}/originals", clerk, o.addOriginal, 0},

		{"GET", "/copies/{copy}", signedIn, o.showCopy, 0},
		{"GET", "/copies/{copy}/state", signedIn, o.copyState, 0},
		{"GET", "/copies/{copy}/review", flow, o.review, 0},
		{"GET", "/copies/{copy}/pages/{page}", flow, o.pageImage, 0},
		{"POST", "/copies/{copy}/facts", clerk, o.editOriginal, 0},
		{"POST", "/copies/{copy}/scans", clerk, o.uploadScans, maxUploadBytes},
		{"POST", "/copies/{copy}/scans/arrived", clerk, o.takeArrived, 0},
		{"OPTIONS", "/copies/{copy}/uploads", clerk, o.tus(o.tusOptions), 0},
		{"POST", "/copies/{copy}/uploads", clerk, o.tus(o.tusCreate), certcopy.MaxUploadBytes},
		{"HEAD", "/copies/{copy}/uploads/{upload}", clerk, o.tus(o.tusHead), 0},
		{"PATCH", "/copies/{copy}/uploads/{upload}", clerk, o.tus(o.tusPatch), certcopy.MaxUploadBytes},
		{"DELETE", "/copies/{copy}/uploads/{upload}", clerk, o.tus(o.tusDrop), 0},
		{"POST", "/copies/{copy}/uploads/{upload}", clerk, o.tusOverridden, certcopy.MaxUploadBytes},
		{"POST", "/copies/{copy}/order", clerk, o.arrange, 0},
		{"POST", "/copies/{copy}/pages", clerk, o.arrangePages, 0},
		{"POST", "/copies/{copy}/fit", clerk, o.fit, 0},
		{"GET", "/copies/{copy}/pages/{page}/form", clerk, o.chooseVariant, 0},
		{"GET", "/copies/{copy}/pages/{page}/form.jpg", clerk, o.variantImage, 0},
		{"POST", "/copies/{copy}/pages/{page}/form", clerk, o.setVariant, 0},
		{"GET", "/copies/{copy}/pages/{page}/frame", clerk, o.chooseFrame, 0},
		{"GET", "/copies/{copy}/pages/{page}/frame.jpg", clerk, o.frameImage, 0},
		{"POST", "/copies/{copy}/pages/{page}/frame", clerk, o.setFrame, 0},
		{"POST", "/copies/{copy}/pages/{page}/replace", clerk, o.replacePage, maxUploadBytes},
		{"POST", "/copies/{copy}/submit", clerk, o.submit, 0},
		{"POST", "/copies/{copy}/withdraw", clerk, o.withdraw, 0},
		{"POST", "/copies/{copy}/return", certify, o.sendBack, 0},
		{"POST", "/copies/{copy}/refuse", examine, o.refuse, 0},

		{"GET", "/copies/{copy}/pdf", flow, o.download, 0},
		{"GET", "/copies/{copy}/qr.svg", signedIn, o.qrImage, 0},
		{"GET", "/copies/{copy}/slip", clerk, o.slip, 0},
		{"POST", "/copies/{copy}/links", clerk, o.createLink, 0},
		{"POST", "/copies/{copy}/links/{link}/revoke", clerk, o.revokeLink, 0},

		{"GET", "/certify", certify, o.certifyQueue, 0},
		{"POST", "/certify/confirm", certify, o.certifyForm, 0},
		{"POST", "/certify", certify, o.certify, 0},
		{"GET", "/seal", seal, o.sealQueue, 0},
		{"POST", "/seal/confirm", seal, o.sealForm, 0},
		{"POST", "/seal", seal, o.seal, 0},

		{"GET", "/copies/{copy}/void", end, o.voidForm, 0},
		{"POST", "/copies/{copy}/void", end, o.void, 0},
		{"GET", "/copies/{copy}/annul", end, o.annulForm, 0},
		{"POST", "/copies/{copy}/annul", end, o.annul, 0},

		{"GET", "/accounts", admin, o.accounts, 0},
		{"POST", "/accounts", admin, o.createAccount, 0},
		{"GET", "/accounts/{account}", admin, o.showAccount, 0},
		{"POST", "/accounts/{account}", admin, o.changeAccount, 0},
		{"POST", "/accounts/{account}/password", admin, o.resetPassword, 0},
		{"POST", "/accounts/{account}/authorisations", admin, o.authorise, 0},
		{"POST", "/accounts/{account}/authorisations/{authorisation}/revoke", admin, o.revokeAuthorisation, 0},

		{"GET", "/audit", inspect, o.audit, 0},

		{"GET", "/statement", admin, o.statement, 0},
		{"POST", "/statement", admin, o.saveWording, 0},
		{"GET", "/statement/sample.jpg", admin, o.sampleImage, 0},
		{"GET", "/statement/pictures/{picture}.png", admin, o.pictureImage, 0},
		{"POST", "/statement/pictures/{picture}", admin, o.addPicture, maxPictureForm},
	}
}

// newRouter hangs the table up, each route behind the check of its roles.
func (o *Office) newRouter() http.Handler {
	root := chi.NewRouter()
	root.Use(o.site.Middleware()...)
	root.NotFound(o.site.NotFound)
	root.MethodNotAllowed(o.site.MethodNotAllowed)
	root.Handle(Prefix+web.AssetPrefix+"*", o.site.Assets())
	root.Get(Prefix, http.RedirectHandler(Prefix+"/", http.StatusMovedPermanently).ServeHTTP)
	root.Group(func(r chi.Router) {
		r.Use(o.loadSession)
		for _, line := range o.routes() {
			limit := line.maxBody
			if limit == 0 {
				limit = web.MaxFormBytes
			}
			r.With(web.LimitBody(limit)).Method(line.method, Prefix+line.pattern, o.site.Handle(o.noted(line, line.handle)))
		}
	})
	return root
}
