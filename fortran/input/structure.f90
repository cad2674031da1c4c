! SPDX-License-Identifier: MIT
!> Tinker .xyz structures, with or without box line, and plain .xyz (count, comment, symbol x y z).
module fennix_structure
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_strings, only : split, string_type, to_integer, to_real
   use fennix_cell, only : cell_type, new_cell, open_cell
   use fennix_atoms, only : atoms_type, name_length
   use fennix_bonds, only : set_bonds
   use fennix_text_file, only : at_line, close_text, next_line, open_text, text_file_type
   implicit none
   private
   public :: read_structure, read_frame

   !> How atom lines look
   integer, parameter :: tinker_format = 1, plain_format = 2
   !> Fewest characters of an atom line ("H 0 0 0" and the line's end)
   integer, parameter :: shortest_line = 8

contains


!> A structure file: one frame and nothing after it. Elements and masses are not set.
subroutine read_structure(path, cell, atoms, line_of, error)
   character(len=*), intent(in) :: path
   !> Open (not periodic) without a box line
   type(cell_type), intent(out) :: cell
   type(atoms_type), intent(out) :: atoms
   !> Line of each atom, for messages, (n)
   integer, allocatable, intent(out) :: line_of(:)
   type(error_type), allocatable, intent(out) :: error
   type(text_file_type) :: file
   character(len=:), allocatable :: line
   logical :: done

   cell = open_cell()
   call open_text(file, path, error)
   if (allocated(error)) return
   call read_frame(file, cell, atoms, line_of, done, error)
   if (done .and. .not. allocated(error)) call fatal_error(error, path // ": the file is empty")
   do while (.not. allocated(error))
      call next_line(file, line, done)
      if (done) exit
      if (verify(line, " " // achar(9) // achar(13)) > 0) then
         call fatal_error(error, at_line(file) // "the file goes on after the " // to_text(atoms%n) // &
            & " atoms announced in line 1")
      end if
   end do
   call close_text(file)
end subroutine read_structure


!> The next frame of an open file
subroutine read_frame(file, cell, atoms, line_of, done, error)
   type(text_file_type), intent(inout) :: file
   !> Replaced when the frame has a box line
   type(cell_type), intent(inout) :: cell
   type(atoms_type), intent(out) :: atoms
   integer, allocatable, intent(out) :: line_of(:)
   !> There is no further frame
   logical, intent(out) :: done
   type(error_type), allocatable, intent(out) :: error
   type(string_type), allocatable :: words(:)
   integer, allocatable :: partners(:, :)
   integer :: i, layout, n_pairs

   allocate(line_of(0))
   call read_count(file, atoms, done, error)
   if (allocated(error) .or. done) return
   call allocate_atoms(atoms, line_of)
   call read_second_line(file, cell, words, layout, error)
   if (allocated(error)) return
   allocate(partners(2, 2*atoms%n))
   n_pairs = 0
   do i = 1, atoms%n
      if (i > 1) call next_words(file, words, done)
      if (size(words) == 0) then
         call fatal_error(error, file%path // ": the file ends after " // to_text(i - 1) // " of " // &
            & to_text(atoms%n) // " atoms, at line " // to_text(file%line))
         return
      end if
      line_of(i) = file%line
      call read_atom(file, words, layout, i, atoms, error)
      if (allocated(error)) return
      if (layout == tinker_format) call read_partners(file, words, i, atoms, partners, n_pairs, error)
      if (allocated(error)) return
   end do
   done = .false.
   call store_bonds(file, atoms, partners(:, 1:n_pairs), line_of, error)
end subroutine read_frame


!> First line: number of atoms and title
subroutine read_count(file, atoms, done, error)
   type(text_file_type), intent(inout) :: file
   type(atoms_type), intent(inout) :: atoms
   logical, intent(out) :: done
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: line
   type(string_type), allocatable :: words(:)
   integer(i8) :: n, size_of_file
   logical :: ok

   do
      call next_line(file, line, done)
      if (done) return
      call split(line, words)
      if (size(words) > 0) exit
   end do
   call to_integer(words(1)%text, n, ok)
   if (ok) ok = n > 0
   if (.not. ok) then
      call fatal_error(error, at_line(file) // "the file should begin with the number of atoms, got '" // &
         & words(1)%text // "'")
      return
   end if
   inquire(unit=file%unit, size=size_of_file)
   if (n > size_of_file/shortest_line) then
      call fatal_error(error, at_line(file) // to_text(n) // " atoms are announced, but the file has only " // &
         & to_text(size_of_file) // " characters")
      return
   end if
   atoms%n = int(n)
   atoms%title = trim(adjustl(line(index(line, words(1)%text) + len(words(1)%text):)))
end subroutine read_count


subroutine allocate_atoms(atoms, line_of)
   type(atoms_type), intent(inout) :: atoms
   integer, allocatable, intent(inout) :: line_of(:)
   integer :: i

   deallocate(line_of)
   allocate(line_of(atoms%n), source=0)
   allocate(atoms%name(atoms%n))
   allocate(atoms%kind(atoms%n), source=0)
   allocate(atoms%number(atoms%n), source=0_i4)
   allocate(atoms%id(atoms%n), source=[(int(i, i4), i=0, atoms%n - 1)])
   allocate(atoms%mass(atoms%n), source=0.0_dp)
   allocate(atoms%position(3, atoms%n), atoms%velocity(3, atoms%n), source=0.0_dp)
end subroutine allocate_atoms


!> The lines up to the first atom: a box, a comment, or nothing before it
subroutine read_second_line(file, cell, words, layout, error)
   type(text_file_type), intent(inout) :: file
   type(cell_type), intent(inout) :: cell
   !> Words of the first atom line, size 0 when the file has ended
   type(string_type), allocatable, intent(out) :: words(:)
   !> tinker_format or plain_format
   integer, intent(out) :: layout
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: line
   type(text_file_type) :: second
   logical :: done, boxed, blank

   layout = tinker_format
   call next_line(file, line, done)
   second = file
   call split(line, words)
   if (done .or. is_tinker_atom(words)) return
   boxed = size(words) == 6 .and. are_numbers(words)
   blank = size(words) == 0
   if (boxed) call read_box(file, words, cell, error)
   if (allocated(error)) return
   call next_words(file, words, done)
   if (is_tinker_atom(words)) then
      if (.not. boxed .and. .not. blank) call fatal_error(error, at_line(second) // "expected the box (six " // &
         & "numbers: a b c alpha beta gamma) or the first atom, got '" // trim(adjustl(line)) // "'")
      return
   end if
   layout = plain_format
   if (index(line, "Lattice=") > 0) then
      call fatal_error(error, at_line(second) // "the lattice of an extended xyz file is not read; give the box " // &
         & "with a-axis in the keyfile, or as Tinker's second line (a b c alpha beta gamma), and leave it out here")
   end if
end subroutine read_second_line


!> Words of the next line that is not blank, size 0 at the end of the file
subroutine next_words(file, words, done)
   type(text_file_type), intent(inout) :: file
   type(string_type), allocatable, intent(out) :: words(:)
   logical, intent(out) :: done
   character(len=:), allocatable :: line

   do
      call next_line(file, line, done)
      call split(line, words)
      if (done .or. size(words) > 0) return
   end do
end subroutine next_words


!> An index, a name that is no number, and a number among the three coordinates
pure function is_tinker_atom(words)
   type(string_type), intent(in) :: words(:)
   logical :: is_tinker_atom
   integer(i8) :: whole
   integer :: k

   is_tinker_atom = .false.
   if (size(words) < 3) return
   call to_integer(words(1)%text, whole, is_tinker_atom)
   is_tinker_atom = is_tinker_atom .and. .not. are_numbers(words(2:2)) .and. &
      & any([(are_numbers(words(k:k)), k=3, min(5, size(words)))])
end function is_tinker_atom


!> All words are numbers
pure function are_numbers(words)
   type(string_type), intent(in) :: words(:)
   logical :: are_numbers
   real(dp) :: number
   integer :: k

   are_numbers = .true.
   do k = 1, size(words)
      if (are_numbers) call to_real(words(k)%text, number, are_numbers)
   end do
end function are_numbers


!> Box line: a b c alpha beta gamma
subroutine read_box(file, words, cell, error)
   type(text_file_type), intent(in) :: file
   type(string_type), intent(in) :: words(:)
   type(cell_type), intent(inout) :: cell
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: box(6)
   logical :: ok
   integer :: k

   do k = 1, 6
      call to_real(words(k)%text, box(k), ok)
   end do
   call new_cell(cell, box(1:3), box(4:6), error)
   if (allocated(error)) error%message = at_line(file) // error%message
end subroutine read_box


!> Name, coordinates and Tinker type of one atom
subroutine read_atom(file, words, layout, i, atoms, error)
   type(text_file_type), intent(in) :: file
   type(string_type), intent(in) :: words(:)
   integer, intent(in) :: layout, i
   type(atoms_type), intent(inout) :: atoms
   type(error_type), allocatable, intent(out) :: error
   character(len=1), parameter :: axis(3) = ["x", "y", "z"]
   integer(i8) :: whole
   integer :: k, column
   logical :: ok

   column = merge(2, 1, layout == tinker_format)
   if (size(words) < column + 3) then
      call fatal_error(error, at_line(file) // "atom " // to_text(i) // " of " // to_text(atoms%n) // " expects " // &
         & trim(merge("an index, a name", "a symbol        ", layout == tinker_format)) // &
         & " and three coordinates; the line is too short")
      return
   end if
   if (layout == tinker_format) then
      call to_integer(words(1)%text, whole, ok)
      if (.not. ok .or. whole /= i) then
         call fatal_error(error, at_line(file) // "expected atom " // to_text(i) // " of " // to_text(atoms%n) // &
            & ", got '" // words(1)%text // "'")
         return
      end if
   end if
   atoms%name(i) = words(column)%text
   if (len(words(column)%text) > name_length) then
      call fatal_error(error, at_line(file) // "the atom name '" // words(column)%text // "' is longer than " // &
         & to_text(name_length) // " letters")
      return
   end if
   do k = 1, 3
      call to_real(words(column + k)%text, atoms%position(k, i), ok)
      if (ok) cycle
      call fatal_error(error, at_line(file) // "the " // axis(k) // " coordinate of atom " // to_text(i) // &
         & " should be a number, got '" // words(column + k)%text // "'")
      return
   end do
end subroutine read_atom


!> Tinker type and bonded atoms after it; plain files have none
subroutine read_partners(file, words, i, atoms, partners, n_pairs, error)
   type(text_file_type), intent(in) :: file
   type(string_type), intent(in) :: words(:)
   integer, intent(in) :: i
   type(atoms_type), intent(inout) :: atoms
   !> Atom and bonded atom, as often as the file says it
   integer, allocatable, intent(inout) :: partners(:, :)
   integer, intent(inout) :: n_pairs
   type(error_type), allocatable, intent(out) :: error
   integer, allocatable :: larger(:, :)
   integer(i8) :: whole
   integer :: k
   logical :: ok

   do k = 6, size(words)
      call to_integer(words(k)%text, whole, ok)
      if (k == 6) then
         if (ok) ok = abs(whole) <= huge(1_i4)
         if (.not. ok) call fatal_error(error, at_line(file) // "the type of atom " // to_text(i) // &
            & " should be a whole number, got '" // words(k)%text // "'")
         if (ok) atoms%kind(i) = int(whole)
      else
         if (ok) ok = whole >= 1 .and. whole <= atoms%n .and. whole /= i
         if (.not. ok) call fatal_error(error, at_line(file) // "the atoms bonded to atom " // to_text(i) // &
            & " should be other atoms from 1 to " // to_text(atoms%n) // ", got '" // words(k)%text // "'")
         if (n_pairs == size(partners, 2)) then
            allocate(larger(2, 2*n_pairs + 8), source=0)
            larger(:, 1:n_pairs) = partners
            call move_alloc(larger, partners)
         end if
         n_pairs = n_pairs + 1
         partners(:, n_pairs) = [i, int(whole)]
      end if
      if (allocated(error)) return
   end do
end subroutine read_partners


!> Keep each bond once; both atoms must name it
subroutine store_bonds(file, atoms, partners, line_of, error)
   type(text_file_type), intent(in) :: file
   type(atoms_type), intent(inout) :: atoms
   !> Rising in the first atom, (2, n_pairs)
   integer, intent(in) :: partners(:, :)
   integer, intent(in) :: line_of(:)
   type(error_type), allocatable, intent(out) :: error
   integer, allocatable :: first(:), pairs(:, :)
   integer :: k, i, j, n_pairs

   allocate(first(atoms%n + 1), source=0)
   do k = 1, size(partners, 2)
      first(partners(1, k) + 1) = first(partners(1, k) + 1) + 1
   end do
   first(1) = 1
   do i = 1, atoms%n
      first(i + 1) = first(i) + first(i + 1)
   end do
   allocate(pairs(2, size(partners, 2)))
   n_pairs = 0
   do k = 1, size(partners, 2)
      i = partners(1, k)
      j = partners(2, k)
      if (all(partners(2, first(j):first(j + 1) - 1) /= i)) then
         call fatal_error(error, file%path // ", line " // to_text(line_of(i)) // ": atom " // to_text(i) // &
            & " is bonded to atom " // to_text(j) // ", but atom " // to_text(j) // " (line " // &
            & to_text(line_of(j)) // ") is not bonded to it")
         return
      end if
      if (i > j .or. any(partners(2, first(i):k - 1) == j)) cycle
      n_pairs = n_pairs + 1
      pairs(:, n_pairs) = [i, j]
   end do
   call set_bonds(atoms, pairs(:, 1:n_pairs))
end subroutine store_bonds

end module fennix_structure
