"""A class: hand-ins in, marks out, and nothing that a hand-in does harms anyone else.

The folder of a class, and the module that makes each part:

    class.json                     chapters, exercises, points, and the secret of the seeds
    students.csv                   who is in it                       `roster`
    release/                       the students' edition              `editions`
    release/….whl                  the package without solutions      `package`
    submitted/STUDENT/CHAPTER.ipynb                                   `collecting`
    grades/STUDENT.json            the verdict on each exercise       `marking`, by `handins`
    overrides.csv                  points that you give yourself      `marking`
    feedback/STUDENT.html          what each student gets to read     `feedback`
    report/                        CSV for Moodle and Canvas          `reports`

Of a hand-in only the definitions count that an exercise needs. They are read as text here, and run
in a process of their own (`ddpm_lab.course.exercises.grader`), on inputs that differ from student
to student and from those of `check`. So it makes no difference what else a notebook holds.
"""
