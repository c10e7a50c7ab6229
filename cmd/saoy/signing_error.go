package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/csc"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/pkcs11"
	"github.com/saoy/saoy/signer/softkey"
	"github.com/saoy/saoy/signer/timestamp"
	"github.com/saoy/saoy/signer/trust"
)

// explanation is what is said to a person of an error of the signing library.
type explanation struct {
	err  error
	code certcopy.Code
	vi   string
	en   string
}

// explanations are tried in order: the closer to the cause, the earlier.
var explanations = []explanation{
	{softkey.ErrPassphrase, certcopy.Invalid, "Sai mật khẩu của tệp khóa.", "The passphrase of the key file is wrong."},
	{softkey.ErrPermissions, certcopy.Invalid, "Người khác đọc được tệp khóa. Hãy chạy chmod 600, và cân nhắc thay khóa.", "Others can read the key file. Run chmod 600 on it, and consider replacing the key."},
	{softkey.ErrFormat, certcopy.Invalid, "Tệp khóa không dùng được.", "The key file cannot be used."},
	{pkcs11.ErrURI, certcopy.Invalid, "Địa chỉ của khóa (--pkcs11) sai.", "The address of the key (--pkcs11) is wrong."},
	{pkcs11.ErrPIN, certcopy.Invalid, "Thiết bị không nhận mã PIN. Không thử lại, vì thiết bị có thể tự khóa.", "The token refused the PIN. It is not tried again: the token might lock itself."},
	{pkcs11.ErrNoKey, certcopy.Invalid, "Thiết bị không có khóa này, có nhiều hơn một, hoặc khóa chưa có chứng thư.", "The token does not have this key, has several, or no certificate for it."},
	{pkcs11.ErrNoCgo, certcopy.Invalid, "Chương trình này được dựng không có hỗ trợ PKCS #11.", "This program was built without support for PKCS #11."},
	{csc.ErrAuthorization, certcopy.Invalid, "Dịch vụ ký từ xa không chấp nhận mã truy cập, PIN hoặc OTP.", "The remote signing service refused the access token, PIN or one-time password."},
	{csc.ErrInteractive, certcopy.Invalid, "Khóa này phải được cho phép trên trang của dịch vụ ký.", "This key must be authorised on the service's own page."},
	{csc.ErrProtocol, certcopy.Unavailable, "Dịch vụ ký từ xa trả lời không đúng quy cách.", "The remote signing service gave an answer that is none."},
	{trust.ErrRevoked, certcopy.Invalid, "Chứng thư đã bị thu hồi. Không ký được bằng khóa này.", "A certificate was revoked. Nothing can be signed with it."},
	{trust.ErrForbiddenAddress, certcopy.Invalid, "Chứng thư nêu địa chỉ trong mạng riêng. Nếu đó là mạng của cơ quan, hãy dùng --private-network.", "A certificate names an address in a private network. If that network is yours, use --private-network."},
	{trust.ErrRevocationUnknown, certcopy.Unavailable, "Không biết chứng thư có bị thu hồi hay không. Hãy thử lại sau, hoặc ký ở mức thấp hơn rồi nâng mức bằng saoy extend.", "Whether a certificate was revoked could not be learnt. Try again later, or sign at a lower level and lift it with saoy extend."},
	{trust.ErrNoPath, certcopy.Invalid, "Chứng thư không dẫn tới chứng thư gốc nào trong --trust.", "A certificate leads to no trust anchor in --trust."},
	{trust.ErrExpired, certcopy.Invalid, "Một chứng thư đã hết hạn.", "A certificate has expired."},
	{trust.ErrConstraints, certcopy.Invalid, "Đường dẫn chứng thư vi phạm ràng buộc.", "A certificate path breaks a constraint."},
	{timestamp.ErrInvalid, certcopy.Unavailable, "Dấu thời gian nhận được không hợp lệ nên không được dùng. Hãy kiểm tra --tsa và --tsa-trust.", "The time-stamp received is not valid and was not used. Check --tsa and --tsa-trust."},
	{timestamp.ErrRejected, certcopy.Invalid, "Cơ quan cấp dấu thời gian từ chối yêu cầu.", "The time-stamp authority refused the request."},
	{signer.ErrKeyRefused, certcopy.Invalid, "Khóa hoặc chứng thư này không được dùng để ký. Chưa có gì được ký.", "This key or its certificate may not be used for signing. Nothing was signed."},
	{pdf.ErrEncrypted, certcopy.Invalid, "Tệp PDF được mã hóa nên không ký được. Hãy bỏ mật khẩu trước.", "The PDF is encrypted and cannot be signed. Remove its password first."},
	{pdf.ErrDamaged, certcopy.Invalid, "Tệp không phải PDF hoặc bị hỏng; chữ ký trên tệp như vậy không có giá trị. Hãy tạo lại tệp.", "The file is no PDF, or damaged; a signature on it would be worth nothing. Make the file anew."},
	{pdf.ErrLimit, certcopy.Invalid, "Tệp PDF vượt giới hạn xử lý.", "The PDF exceeds a limit."},
	{pdf.ErrNoPage, certcopy.Invalid, "Tệp không có trang này.", "The file has no such page."},
	{pades.ErrForbidden, certcopy.Invalid, "Chữ ký có trước trong tệp không cho phép việc này.", "An earlier signature of the file does not permit this."},
	{pades.ErrField, certcopy.Invalid, "Không ký được vào ô chữ ký này.", "This signature field cannot be signed."},
	{pades.ErrImage, certcopy.Invalid, "Không dùng được ảnh này làm hình chữ ký.", "This image cannot be used."},
	{pades.ErrText, certcopy.Invalid, "Không vẽ được dòng chữ này trong ô chữ ký: không đủ chỗ, hoặc phông chữ không có một ký tự.", "This text cannot be shown in the signature's place: it does not fit, or the font lacks a character."},
	{pades.ErrTooLarge, certcopy.Internal, "Chữ ký lớn hơn chỗ đã dành.", "The signature is larger than the place reserved for it."},
	{signer.ErrUnavailable, certcopy.Unavailable, "Khóa, cơ quan cấp dấu thời gian hoặc dịch vụ thu hồi hiện không trả lời. Hãy thử lại sau.", "The key, the time-stamp authority or the revocation service does not answer now. Try again later."},
	{pades.ErrLevel, certcopy.Invalid, "Không đạt được mức đã yêu cầu. B-T cần --tsa và --trust; B-LT và B-LTA cần cả hai.", "The level cannot be reached. B-T and above need --tsa and --trust."},
	{pades.ErrOptions, certcopy.Invalid, "Các lựa chọn mâu thuẫn nhau hoặc với tệp.", "The options contradict each other or the file."},
	{context.DeadlineExceeded, certcopy.Unavailable, "Quá thời gian cho phép. Hãy thử lại, hoặc tăng --timeout.", "It took too long. Try again, or raise --timeout."},
	{context.Canceled, certcopy.Unavailable, "Đã dừng theo yêu cầu. Không có tệp nào được ghi.", "Stopped on request. No file was written."},
	{fs.ErrNotExist, certcopy.NotFound, "Không có tệp này. Hãy kiểm tra tên tệp.", "There is no such file. Check its name."},
	{fs.ErrPermission, certcopy.Invalid, "Không có quyền đọc hoặc ghi tệp này.", "You may not read or write this file."},
}

// explain makes an error of the signing library one that a person can act on, with its exit
// status: 2 if something must be changed first, 1 if it may work later.
func explain(subject string, err error) error {
	var e *certcopy.Error
	if !errors.As(err, &e) {
		e = certcopy.Errorf(certcopy.Internal, subject, err, certcopy.Msg("Có lỗi ngoài dự kiến.", "Something unexpected went wrong."))
		for _, x := range explanations {
			if errors.Is(err, x.err) {
				e.Code, e.Message = x.code, certcopy.Msg(x.vi, x.en)
				break
			}
		}
	}
	switch e.Code {
	case certcopy.Invalid, certcopy.NotFound, certcopy.Conflict:
		return &exitError{exitUnusable, e}
	}
	return &exitError{exitFailed, e}
}

// keyFailure is explain for an error of opening a key, which is not about the input.
func keyFailure(err error) error {
	var e *certcopy.Error
	if errors.As(err, &e) {
		return err
	}
	var exit *exitError
	if errors.As(explain("", err), &exit) {
		return exit.err
	}
	return err
}

// readCertificates reads a PEM file of certificates.
func readCertificates(name string) ([]*x509.Certificate, error) {
	b, err := os.ReadFile(name)
	if err == nil {
		var certificates []*x509.Certificate
		if certificates, err = trust.ParsePEM(b); err == nil {
			return certificates, nil
		}
	}
	return nil, certcopy.Errorf(certcopy.Invalid, name, err, certcopy.Msg(
		"Không đọc được chứng thư từ tệp PEM này.", "No certificates can be read from this PEM file."))
}

// fingerprint is the SHA-256 of an encoding, in hexadecimal.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
