DROP INDEX payments_without_fee;
DROP INDEX payments_opened_at;
