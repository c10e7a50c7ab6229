-- +goose Up
-- Agencies, the people in them, who may certify, keys, and the list of document types.

CREATE TABLE agency (
  id            text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  code          text NOT NULL CHECK (code <> ''),
  book          text NOT NULL DEFAULT 'SCT/BS',
  seal_at_once  boolean NOT NULL DEFAULT false,
  demonstration boolean NOT NULL DEFAULT false,
  suspended     boolean NOT NULL DEFAULT false
);

-- Agencies are renamed and merged; a copy keeps the name of its date.
CREATE TABLE agency_name (
  agency    text NOT NULL REFERENCES agency (id),
  from_date date NOT NULL,
  name      text NOT NULL CHECK (name <> ''),
  place     text NOT NULL,
  province  text NOT NULL,
  PRIMARY KEY (agency, from_date)
);

-- The books an agency keeps.
CREATE TABLE book (
  agency text NOT NULL REFERENCES agency (id),
  code   text NOT NULL CHECK (code <> ''),
  PRIMARY KEY (agency, code)
);

-- The last number of each book: one row per book, so that its lock also guards the turn of the
-- year. What was given in earlier years stands in book_row.
CREATE TABLE counter (
  agency    text NOT NULL,
  book      text NOT NULL,
  year      int NOT NULL,
  last_seq  bigint NOT NULL CHECK (last_seq >= 0),
  last_date date NOT NULL,
  volume    int NOT NULL CHECK (volume >= 1),
  PRIMARY KEY (agency, book),
  FOREIGN KEY (agency, book) REFERENCES book (agency, code)
);

CREATE TABLE account (
  id            uuid PRIMARY KEY,
  agency        text NOT NULL REFERENCES agency (id),
  login         text NOT NULL UNIQUE CHECK (login <> ''),
  name          text NOT NULL CHECK (name <> ''),
  title         text NOT NULL DEFAULT '',
  password_hash text NOT NULL DEFAULT '',
  roles         text[] NOT NULL CHECK (roles <@ ARRAY['clerk', 'certifier', 'seal_keeper', 'admin', 'auditor']),
  created_at    timestamptz NOT NULL DEFAULT book_clock(),
  disabled_at   timestamptz
);
CREATE INDEX account_agency ON account (agency);

-- Who may certify or seal for an agency: dated, revocable, by decision. One with a client lets
-- that API client act for the account.
CREATE TABLE authorisation (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agency          text NOT NULL REFERENCES agency (id),
  account         uuid NOT NULL REFERENCES account (id),
  client          text NOT NULL DEFAULT '',
  scope           text NOT NULL CHECK (scope IN ('certify', 'seal')),
  from_date       date NOT NULL,
  to_date         date CHECK (to_date >= from_date),
  decision_number text NOT NULL CHECK (decision_number <> ''),
  created_at      timestamptz NOT NULL DEFAULT book_clock(),
  revoked_at      timestamptz
);
CREATE INDEX authorisation_account ON authorisation (account, scope);

-- Where a signing key is and under which certificate it signs; never the key itself. A null
-- account is the agency's seal.
CREATE TABLE signing_key (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agency        text NOT NULL REFERENCES agency (id),
  account       uuid REFERENCES account (id),
  kind          text NOT NULL CHECK (kind IN ('soft', 'pkcs11', 'csc', 'usb')),
  uri           text NOT NULL,
  certificate   bytea NOT NULL,
  not_before    timestamptz NOT NULL,
  not_after     timestamptz NOT NULL CHECK (not_after > not_before),
  demonstration boolean NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT book_clock(),
  retired_at    timestamptz
);
CREATE UNIQUE INDEX signing_key_living ON signing_key (agency, coalesce(account, '00000000-0000-0000-0000-000000000000'))
  WHERE retired_at IS NULL;

-- The coded list: the only description of an original that is ever public.
CREATE TABLE document_type (
  code       text PRIMARY KEY CHECK (code ~ '^[a-z0-9-]{2,40}$'),
  vi         text NOT NULL,
  en         text NOT NULL,
  from_date  date NOT NULL DEFAULT '2025-07-01',
  to_date    date,
  -- Normally found in VNeID, so that the paper may not be asked for (NĐ 23/2015 Điều 9).
  warn_vneid boolean NOT NULL DEFAULT false,
  position   int NOT NULL
);

INSERT INTO document_type (position, code, vi, en, warn_vneid) VALUES
  (10, 'can-cuoc', 'Thẻ căn cước, căn cước công dân', 'Identity card', true),
  (20, 'ho-chieu', 'Hộ chiếu', 'Passport', false),
  (30, 'khai-sinh', 'Giấy khai sinh', 'Birth certificate', true),
  (40, 'trich-luc-ho-tich', 'Trích lục hộ tịch', 'Extract of civil status', true),
  (50, 'ket-hon', 'Giấy chứng nhận kết hôn', 'Marriage certificate', true),
  (60, 'tinh-trang-hon-nhan', 'Giấy xác nhận tình trạng hôn nhân', 'Certificate of marital status', true),
  (70, 'chung-tu', 'Giấy chứng tử, trích lục khai tử', 'Death certificate', true),
  (80, 'cu-tru', 'Giấy xác nhận thông tin về cư trú', 'Confirmation of residence', true),
  (90, 'bang-tot-nghiep-pho-thong', 'Bằng tốt nghiệp phổ thông', 'School-leaving certificate', false),
  (100, 'bang-trung-cap-cao-dang', 'Bằng trung cấp, cao đẳng', 'Vocational or college diploma', false),
  (110, 'bang-dai-hoc', 'Bằng đại học, sau đại học', 'University degree', false),
  (120, 'bang-diem-hoc-ba', 'Bảng điểm, học bạ', 'Transcript or school report', false),
  (130, 'chung-chi', 'Chứng chỉ', 'Certificate of training', false),
  (140, 'giay-phep-lai-xe', 'Giấy phép lái xe', 'Driving licence', true),
  (150, 'dang-ky-xe', 'Chứng nhận đăng ký xe', 'Vehicle registration', true),
  (160, 'quyen-su-dung-dat', 'Giấy chứng nhận quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất', 'Certificate of land-use rights and ownership of assets on land', false),
  (170, 'dang-ky-kinh-doanh', 'Giấy chứng nhận đăng ký doanh nghiệp, hộ kinh doanh', 'Business registration', false),
  (180, 'giay-phep', 'Giấy phép', 'Licence or permit', false),
  (190, 'quyet-dinh', 'Quyết định', 'Decision', false),
  (200, 'bao-hiem-y-te', 'Thẻ bảo hiểm y tế', 'Health insurance card', true),
  (210, 'so-bao-hiem-xa-hoi', 'Sổ bảo hiểm xã hội', 'Social insurance book', true),
  (220, 'ly-lich-tu-phap', 'Phiếu lý lịch tư pháp', 'Judicial record', true),
  (230, 'suc-khoe', 'Giấy khám sức khỏe', 'Health certificate', false),
  (240, 'hop-dong', 'Hợp đồng, giấy ủy quyền có công chứng, chứng thực', 'Notarised or certified contract or power of attorney', false),
  (250, 'ban-an', 'Bản án, quyết định của Tòa án', 'Court judgment or decision', false),
  (260, 'khac', 'Giấy tờ, văn bản khác', 'Other document', false);

GRANT SELECT ON agency, agency_name, book, document_type TO saoy_office, saoy_public, saoy_worker, saoy_retention;
GRANT SELECT ON counter, account, authorisation, signing_key TO saoy_office, saoy_worker, saoy_retention;
GRANT INSERT ON agency, agency_name, book, counter, account, authorisation, signing_key TO saoy_office;
GRANT UPDATE (code, book, seal_at_once, suspended) ON agency TO saoy_office;
GRANT UPDATE (name, title, password_hash, roles, disabled_at) ON account TO saoy_office;
GRANT UPDATE (revoked_at) ON authorisation TO saoy_office;
GRANT UPDATE (retired_at) ON signing_key TO saoy_office;
-- The office opens a book; only the worker counts on.
GRANT UPDATE (year, last_seq, last_date, volume) ON counter TO saoy_worker;
