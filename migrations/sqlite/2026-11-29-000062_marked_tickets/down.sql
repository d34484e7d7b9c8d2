DROP INDEX refunds_marks;
