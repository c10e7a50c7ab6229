package office

import (
	"regexp"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// What people see, change and take out, and what they were refused, stands in the audit, which
// the auditor of the agency can search, and nobody else.
func TestAudit(t *testing.T) {
	d := open(t)
	clerk, auditor := d.signIn("canbo"), d.signIn("kiemtra")
	at := clerk.submitted("Bằng tốt nghiệp của bà Đức")
	d.certify(at)
	d.walk(at, certcopy.Released)
	clerk.get(at + "/pdf")
	clerk.get("/office/accounts").want(403)
	d.signIn("xatay").get(at).want(404)

	events, err := d.store.AuditEvents(t.Context(), storage.AuditFilter{Copy: id(at)}, 1000)
	d.must(err)
	seen := map[string]storage.AuditEvent{}
	for _, e := range events {
		seen[string(e.Kind)+" "+e.Action+" "+string(e.Phase)+" "+string(e.Agency)] = e
	}
	for _, want := range []string{"change copy.submitted done an-tuong-dong", "change copy.certify done an-tuong-dong", "change copy.released done an-tuong-dong",
		"export GET /copies/{copy}/pdf done an-tuong-dong", "view GET /copies/{copy} done an-tuong-dong"} {
		if _, ok := seen[want]; !ok {
			t.Errorf("nothing in the audit of %q", want)
		}
	}
	if e := seen["change copy.submitted done an-tuong-dong"]; e.Account != d.desk.Clerk || e.Digest.IsZero() {
		t.Errorf("submitted: %+v", e)
	}

	page := auditor.get("/office/audit").want(200, "Kiểm toán", "Phát hành", "Trần Thị Bích", "bị từ chối").never("Bằng tốt nghiệp", "bà Đức")
	if n := len(regexp.MustCompile(`<tr>`).FindAllString(page.Body.String(), -1)); n < 10 {
		t.Errorf("%d lines", n)
	}
	auditor.get("/office/audit?kind=export").want(200, "Tải tệp bản sao").never("Phát hành")
	auditor.get("/office/audit?account="+string(d.desk.Certifier)).want(200, "Xác nhận chứng thực").never("Trình ký</td>")
	auditor.get("/office/audit?from=2020-01-01&till=2020-01-02").want(200, "Không có dòng nào")
	auditor.get("/office/audit?from=gestern").want(422, "Ngày không hợp lệ")
	auditor.get("/office/audit?code=nonsense").want(422)
	auditor.get("/office/audit?before=1").want(200, "Không có dòng nào")
	clerk.get("/office/audit").want(403)
}
