-- Servers tell each other after the commit (db::notices). A NOTIFY inside it would let only one transaction commit at a time.
DROP TRIGGER change_notice_announce ON change_notice;
DROP FUNCTION announce_change();
