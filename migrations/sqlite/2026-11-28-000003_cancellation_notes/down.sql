DROP TABLE cancellation_notes;
