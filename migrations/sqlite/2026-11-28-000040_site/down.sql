DROP TABLE setup_notes;
DROP TABLE box_office;
